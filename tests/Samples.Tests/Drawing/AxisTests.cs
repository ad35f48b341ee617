using Pdp.Samples.Drawing;

namespace Pdp.Samples.Tests.Drawing;

public sealed class AxisTests
{
    [Fact]
    public void Around_Numbers_EndsAtRoundNumbersAroundThem()
    {
        var axis = Axis.Around("accuracy, %", [61.2, 83.9]);

        Assert.Equal((60, 85), (axis.Low, axis.High));
        Assert.Equal(["60", "65", "70", "75", "80", "85"], axis.Ticks.Select(tick => tick.Text));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1e-9)]
    [InlineData(-3)]
    [InlineData(double.NaN)]
    [InlineData(1e9)]
    public void Around_ASingleNumber_HasAnExtentAndTicks(double value)
    {
        var axis = Axis.Around("", [value]);

        Assert.True(axis.High > axis.Low);
        Assert.InRange(axis.Ticks.Count, 2, 12);
        Assert.Equal(axis.Ticks.Count, axis.Ticks.Select(tick => tick.Text).Distinct().Count());
    }

    [Fact]
    public void Whole_OfOneEpoch_HasItInTheMiddle()
    {
        var axis = Axis.Whole("epoch", [1]);

        Assert.Equal((0.5, 1.5), (axis.Low, axis.High));
        Assert.Equal([new Tick(1, "1")], axis.Ticks);
    }
}
