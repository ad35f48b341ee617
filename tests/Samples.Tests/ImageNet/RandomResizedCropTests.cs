using Pdp.Samples.ImageNet.Data;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class RandomResizedCropTests
{
    private const int Draws = 20_000;

    // From torchvision's get_params, written out in Python with SplitMix64 in the place of torch's generator; in the fourth
    // the tenth attempt is the first that fits, in the last the second.
    [Theory]
    [InlineData(500, 375, 1, 62, 58, 141, 120, false)]
    [InlineData(500, 375, 2, 180, 5, 313, 370, true)]
    [InlineData(333, 500, 1, 7, 0, 325, 421, false)]
    [InlineData(700, 200, 29, 56, 36, 135, 135, false)]
    [InlineData(400, 300, 0, 115, 32, 239, 223, true)]
    public void Of_WhenDrawn_IsTorchvisionsCrop(
        int width, int height, int epoch, int left, int top, int cropWidth, int cropHeight, bool isFlipped)
    {
        var view = new RandomResizedCrop(224).Of(width, height, new SplitMix(7, epoch, 42));

        Assert.Equal(new Axis(left, cropWidth, 224, IsMirrored: isFlipped), view.Horizontal);
        Assert.Equal(new Axis(top, cropHeight, 224), view.Vertical);
    }

    // Up to half of a square picture's area every shape fits, so that nothing is drawn twice and the law is seen as it is.
    [Fact]
    public void Of_WhenDrawnOften_HasUniformAreasAndLogarithmicShapes()
    {
        var crops = Crops(2000, 2000).Where(crop => crop.Area < 0.5).ToArray();

        Assert.InRange(crops.Min(crop => crop.Area), 0.0795, 0.081);
        Assert.Equal((0.3 - 0.08) / (0.5 - 0.08), Share(crops, crop => crop.Area < 0.3), 0.02);
        Assert.Equal(0.5, Share(crops, crop => crop.Shape < 1), 0.02);
        Assert.Equal(0.25, Share(crops, crop => crop.Shape < Math.Sqrt(0.75)), 0.02);
        Assert.InRange(crops.Min(crop => crop.Shape), 0.748, 0.752);
        Assert.InRange(crops.Max(crop => crop.Shape), 1.33, 1.336);
        Assert.Equal(0.5, Share(crops, crop => crop.IsFlipped), 0.02);
        Assert.Equal(0.5, Share(crops, crop => crop.Left < 0.5), 0.02);
        Assert.Equal(0.5, Share(crops, crop => crop.Top < 0.5), 0.02);
    }

    [Theory]
    [InlineData(500, 375)]
    [InlineData(30, 200)]
    [InlineData(1, 1)]
    public void Of_WhenPictureIsOfAnySize_LiesInIt(int width, int height)
    {
        for (var i = 0; i < 2000; i++)
        {
            var (horizontal, vertical) = new RandomResizedCrop(224).Of(width, height, new SplitMix(1, 0, i));

            Assert.True(horizontal.Origin >= 0 && horizontal.Length >= 1 && horizontal.Origin + horizontal.Length <= width);
            Assert.True(vertical.Origin >= 0 && vertical.Length >= 1 && vertical.Origin + vertical.Length <= height);
        }
    }

    // No crop of 8 % fits into either; of 10 rows, 13.33 columns are the widest shape.
    [Theory]
    [InlineData(1000, 10, 493, 0, 13, 10)]
    [InlineData(10, 1000, 0, 493, 10, 13)]
    public void Of_WhenNothingFits_IsTheMiddleOfTheWidestShape(int width, int height, int left, int top, int cropWidth, int cropHeight)
    {
        var (horizontal, vertical) = new RandomResizedCrop(224).Of(width, height, new SplitMix(1, 0, 0));

        Assert.Equal((left, cropWidth), ((int)horizontal.Origin, (int)horizontal.Length));
        Assert.Equal((top, cropHeight), ((int)vertical.Origin, (int)vertical.Length));
    }

    [Fact]
    public void Central_WhenPictureIsNeitherNarrowNorWide_IsAllOfIt() =>
        Assert.Equal((0, 0, 400, 301), RandomResizedCrop.Central(400, 301));

    private static double Share<T>(T[] all, Func<T, bool> condition) => all.Count(condition) / (double)all.Length;

    private static IEnumerable<(double Area, double Shape, double Left, double Top, bool IsFlipped)> Crops(int width, int height) =>
        from draw in Enumerable.Range(0, Draws)
        let view = new RandomResizedCrop(224).Of(width, height, new SplitMix(3, 1, draw))
        let columns = view.Horizontal.Length
        let rows = view.Vertical.Length
        select (columns * rows / width / height, columns / rows, view.Horizontal.Origin / (width - columns + 1),
            view.Vertical.Origin / (height - rows + 1), view.Horizontal.IsMirrored);
}
