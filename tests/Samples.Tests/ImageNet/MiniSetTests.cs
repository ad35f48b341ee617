using Pdp.Samples.ImageNet.Data;
using SkiaSharp;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>What holds for real photographs: the 64 of the mini set, against Pillow's arithmetic on pictures decoded in full.</summary>
public sealed class MiniSetTests
{
    private static readonly double[] Deviations = [0.229, 0.224, 0.225];
    private static readonly double[] Means = [0.485, 0.456, 0.406];
    private static readonly Lazy<(string Path, PillowResize Picture)[]> Pictures =
        new(() => [.. Paths().Select(path => (path, PillowResize.Decode(path)))]);

    [SharedFact]
    public void Read_WhenPictureIsSeenAsInValidation_EqualsPillow()
    {
        Assert.Equal(0, Difference(new ResizedCentre(224, 256)), 1e-4);
    }

    [SharedFact]
    public void Read_WhenCroppedAtRandom_EqualsPillow()
    {
        Assert.Equal(0, Difference(new RandomResizedCrop(224)), 1e-4);
    }

    // So small a side that most pictures are decoded at a half or a quarter.
    [SharedFact]
    public void Read_WhenDecodedAtAFraction_AgreesWithPillowWithinOneLevel()
    {
        var half = Difference(new ResizedCentre(64, 73));
        var quarter = Difference(new ResizedCentre(28, 32));
        var cropped = Difference(new RandomResizedCrop(32));

        Assert.InRange(half, 0.1, 1);
        Assert.InRange(quarter, 0.1, 1);
        Assert.InRange(cropped, 0.1, 1);
    }

    [SharedFact]
    public unsafe void Decode_WhenOnlyPartIsNeeded_EqualsTheWhole()
    {
        var random = new SplitMix(1, 2, 3);
        using var part = new RegionDecoder();
        using var whole = new RegionDecoder();
        foreach (var (index, path) in Paths().Index())
        {
            using var first = SKCodec.Create(path);
            using var second = SKCodec.Create(path);
            var size = first.GetScaledDimensions(index % 4 == 3 ? 0.5f : 1);
            var (left, top) = (random.Below(size.Width), random.Below(size.Height));
            var region = SKRectI.Create(left, top, 1 + random.Below(size.Width - left), 1 + random.Below(size.Height - top));

            var actual = part.Decode(first, size, region, isWhole: true, out var actualBytes);
            var expected = whole.Decode(second, size, region, isWhole: false, out var expectedBytes);

            for (var row = 0; row < region.Height; row++)
            {
                var line = new ReadOnlySpan<byte>(expected + (row * expectedBytes), region.Width * 4);
                Assert.True(line.SequenceEqual(new ReadOnlySpan<byte>(actual + (row * actualBytes), region.Width * 4)), $"{path} {region}");
            }
        }
    }

    private static IEnumerable<string> Paths()
    {
        var folder = ImageNetData.Open(SharedData.File("imagenet-mini")).Validation;
        return Enumerable.Range(0, folder.Count).Select(folder.PathOf);
    }

    /// <summary>The mean difference in levels of 255.</summary>
    private static double Difference(IViewer viewer)
    {
        using var reader = new PictureReader(viewer);
        var pixels = new float[viewer.Side * viewer.Side * 3];
        var (sum, count) = (0.0, 0L);
        foreach (var (index, (path, picture)) in Pictures.Value.Index())
        {
            reader.Read(path, new SplitMix(0, 0, index), pixels);
            var expected = Expected(picture, viewer, index);
            for (var i = 0; i < pixels.Length; i++)
            {
                sum += Math.Abs((255 * ((pixels[i] * Deviations[i % 3]) + Means[i % 3])) - expected.Pixels[i]);
            }

            count += pixels.Length;
        }

        return sum / count;
    }

    private static PillowResize Expected(PillowResize picture, IViewer viewer, int index)
    {
        var (horizontal, vertical) = viewer.Of(picture.Width, picture.Height, new SplitMix(0, 0, index));
        var seen = picture
            .Crop((int)horizontal.Origin, (int)vertical.Origin, (int)horizontal.Length, (int)vertical.Length)
            .Resize(horizontal.Size, vertical.Size)
            .Crop(horizontal.Skip, vertical.Skip, viewer.Side, viewer.Side);
        return horizontal.IsMirrored ? seen.Flip() : seen;
    }
}
