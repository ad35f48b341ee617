using Pdp.Strategies;

namespace Pdp.Tests.Strategies;

public sealed class CountsTests
{
    [Theory]
    [InlineData(10, 0.8, 8)]
    [InlineData(1000, 0.8, 800)]
    [InlineData(36864, 0.8, 29491)]
    [InlineData(1000, 0.29, 290)]
    [InlineData(100, 0.57, 57)]
    [InlineData(3, 0.3333, 0)]
    [InlineData(3, 0.0, 0)]
    [InlineData(7, 1.0, 7)]
    public void Floor_OfAShare_IsExactDespiteBinaryFractions(long count, double share, long expected)
    {
        var floor = Counts.Floor(count, share);

        Assert.Equal(expected, floor);
    }
}
