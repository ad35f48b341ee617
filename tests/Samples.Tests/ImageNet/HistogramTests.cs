using Pdp.Samples.ImageNet.Reporting;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class HistogramTests
{
    [Fact]
    public void Of_FourNumbers_CountsThemInEqualIntervals()
    {
        var histogram = Histogram.Of([-1, 3, 0.99f, 1.01f]);

        Assert.Equal((-1, 3, 4), (histogram.Min, histogram.Max, histogram.Num));
        Assert.Equal((4, 12.0002), (histogram.Sum, Math.Round(histogram.SumSquares, 4)));
        Assert.Equal([0, 31, 32, 63], Enumerable.Range(0, 64).Where(i => histogram.Bucket[i] == 1));
        Assert.Equal([1, 3], [histogram.BucketLimit[31], histogram.BucketLimit[63]]);
    }

    [Fact]
    public void Of_EqualNumbers_PutsThemIntoTheFirstInterval() => Assert.Equal(3, Histogram.Of([2, 2, 2]).Bucket[0]);
}
