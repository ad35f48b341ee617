using Pdp.Samples.Cifar10;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Cifar10;

public sealed class BatchesTests : IDisposable
{
    private const int Count = 10;
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly ImageSet _images;

    public BatchesTests()
    {
        var pixels = new byte[Count * ImageSet.PictureSize];
        new Random(1).NextBytes(pixels);
        _images = new ImageSet(pixels, [.. Enumerable.Range(0, Count).Select(index => (byte)index)]);
    }

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Plain_WhenTaken_NormalisesEachChannel()
    {
        var batches = new Batches(_images, size: 4, seed: 0);

        var (pictures, labels) = batches.Plain(1);

        Assert.Equal([4, 3, 32, 32], pictures.shape);
        Assert.Equal([4L, 5, 6, 7], labels.data<long>().ToArray());
        Assert.Equal(Normalised(4, 0, 0.485, 0.229), pictures[0, 0, 0, 3].ReadCpuSingle(0), 1e-6f);
        Assert.Equal(Normalised(4, 1, 0.456, 0.224), pictures[0, 1, 0, 3].ReadCpuSingle(0), 1e-6f);
        Assert.Equal(Normalised(4, 2, 0.406, 0.225), pictures[0, 2, 0, 3].ReadCpuSingle(0), 1e-6f);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(8)]
    public void Batch_WhenSideIsSmaller_HasTheMeansOfThePixels(int side)
    {
        var (full, small) = (new Batches(_images, 4, seed: 3), new Batches(_images, 4, seed: 3, side: side));

        foreach (var (expected, actual) in new[] { (full.Plain(0), small.Plain(0)), (full.Augmented(2, 1), small.Augmented(2, 1)) })
        {
            var factor = 32 / side;
            var means = expected.Pictures.reshape(4, 3, side, factor, side, factor).mean([3, 5]);
            Assert.Equal([4, 3, side, side], actual.Pictures.shape);
            Assert.True(means.allclose(actual.Pictures, rtol: 1e-5, atol: 1e-5));
            Assert.Equal(expected.Labels.data<long>().ToArray(), actual.Labels.data<long>().ToArray());
        }
    }

    [Fact]
    public void Augmented_WhenEpochEnds_HasGivenEachPictureOnce()
    {
        var batches = new Batches(_images, size: 4, seed: 0);

        var labels = Enumerable.Range(0, batches.Count)
            .SelectMany(index => batches.Augmented(0, index).Labels.data<long>().ToArray()).ToArray();

        Assert.Equal(3, batches.Count);
        Assert.Equal(Enumerable.Range(0, Count).Select(label => (long)label), labels.Order());
        Assert.NotEqual(labels.Order(), labels);
    }

    // Batches of 4, 4 and 2 pictures.
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Augmented_OfAllRanks_IsTheBatchOfOne(int ranks)
    {
        var whole = new Batches(_images, size: 4, seed: 0);
        var shares = Enumerable.Range(0, ranks).Select(rank => new Batches(_images, 4, 0, rank, ranks)).ToArray();

        for (var index = 0; index < 2; index++)
        {
            var expected = whole.Augmented(1, index);
            var actual = shares.Select(share => share.Augmented(1, index)).ToArray();

            Assert.Equal(Values(expected.Pictures), Values(cat([.. actual.Select(share => share.Pictures)])));
            Assert.Equal(expected.Labels.data<long>().ToArray(), actual.SelectMany(share => share.Labels.data<long>().ToArray()));

            // What makes the mean over the batch from the means over the shares.
            var means = actual.Zip(
                shares, (share, batches) => share.Labels.to_type(ScalarType.Float64).mean().ReadCpuDouble(0) * batches.Weight(index));
            Assert.Equal(expected.Labels.to_type(ScalarType.Float64).mean().ReadCpuDouble(0), means.Average(), 1e-12);
        }

        Assert.Equal(2, shares[0].Smallest);
    }

    [Fact]
    public void Augmented_WhenStartedAnew_RepeatsSeedAndEpoch()
    {
        var first = new Batches(_images, size: 4, seed: 7);
        var skipped = first.Augmented(0, 0).Pictures;

        var expected = first.Augmented(3, 1).Pictures;
        var actual = new Batches(_images, size: 4, seed: 7).Augmented(3, 1).Pictures;

        Assert.Equal(Values(expected), Values(actual));
        Assert.NotEqual(Values(expected), Values(skipped));
        Assert.NotEqual(Values(expected), Values(new Batches(_images, size: 4, seed: 8).Augmented(3, 1).Pictures));
    }

    [Fact]
    public void Augmented_WhenManyEpochsPass_ShiftsByUpToFourAndFlipsHalf()
    {
        var batches = new Batches(SinglePixel(), size: 1, seed: 0);

        var places = Enumerable.Range(0, 2000).Select(epoch => BrightPlace(batches.Augmented(epoch, 0).Pictures)).ToArray();

        // A pixel in row 10, column 10 moves up to 4 places, or lands around column 21 when flipped.
        var flipped = places.Count(place => place.Column > 16);
        Assert.InRange(flipped, 900, 1100);
        Assert.Equal(Enumerable.Range(6, 9), places.Select(place => place.Row).Distinct().Order());
        Assert.Equal(Enumerable.Range(6, 9).Concat(Enumerable.Range(17, 9)), places.Select(place => place.Column).Distinct().Order());
    }

    [Fact]
    public void Limit_WhenGiven_KeepsTheFirstOfEachClass()
    {
        var images = new ImageSet(_images.Pixels, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);

        var limited = images.Limit(2);

        Assert.Equal([0, 1, 0, 1], limited.Labels);
        Assert.Equal(_images.Pixels[..(4 * ImageSet.PictureSize)], limited.Pixels);
    }

    [Fact]
    public void HoldOut_TakesTheLastOfEachClassFromTraining()
    {
        var data = new Cifar10Data(new ImageSet(_images.Pixels, [0, 1, 0, 1, 0, 1, 0, 1, 0, 0]), Test: SinglePixel());

        var (train, test) = data.HoldOut(2);

        Assert.Equal([0, 1, 0, 1, 0, 0], train.Labels);
        Assert.Equal([1, 1, 0, 0], test.Labels);
        Assert.Equal(_images.Pixels[(8 * ImageSet.PictureSize)..], test.Pixels[(2 * ImageSet.PictureSize)..]);
        Assert.Contains(
            "--hold-out 4 leaves no training pictures of a class with 4",
            Assert.Throws<ArgumentException>(() => data.HoldOut(4)).Message,
            StringComparison.Ordinal);
    }

    private static ImageSet SinglePixel()
    {
        var pixels = new byte[ImageSet.PictureSize];
        pixels[(10 * ImageSet.Side) + 10] = 255;
        return new ImageSet(pixels, [0]);
    }

    private static (int Row, int Column) BrightPlace(Tensor pictures)
    {
        var place = (int)pictures.select(1, 0).flatten().argmax().ReadCpuInt64(0);
        return (place / ImageSet.Side, place % ImageSet.Side);
    }

    private static float[] Values(Tensor tensor) => tensor.contiguous().data<float>().ToArray();

    private float Normalised(int index, int channel, double mean, double deviation) =>
        (float)(((_images.Picture(index)[(channel * ImageSet.PlaneSize) + 3] / 255.0) - mean) / deviation);
}
