using Pdp.Numerics.Kernels;
using Pdp.Tests.Support;

namespace Pdp.Tests.Scheduling;

public sealed class TemperatureTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(3.7)]
    [InlineData(1e6)]
    public void At_WhenConstant_IsAlwaysTheSame(double epoch)
    {
        var (absolute, relative) = (Temperature.Absolute(1e-4), Temperature.Relative(0.25));

        Assert.Equal((1e-4, 0.25), (absolute.At(epoch), relative.At(epoch)));
        Assert.Equal((false, true), (absolute.IsRelative, relative.IsRelative));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 0.1)]
    [InlineData(3.5, 0.0316227766016837933)]
    [InlineData(4, 0.01)]
    [InlineData(9, 0.01)]
    public void At_WhenAnnealed_RunsExponentiallyOverItsWindow(double epoch, double expected)
    {
        var temperature = Temperature.Relative(1).AnnealedTo(0.01, 2, 4);

        Close.Equal(expected, temperature.At(epoch), Close.Float64);
    }

    [Fact]
    public void At_TheEndsOfTheWindow_IsExact()
    {
        var temperature = Temperature.Absolute(1e-3).AnnealedTo(3e-7, 1, 7);

        Assert.Equal((1e-3, 3e-7), (temperature.At(1), temperature.At(7)));
        Assert.Equal((1e-3, 3e-7, 1, 7), (temperature.From, temperature.To, temperature.StartEpoch, temperature.EndEpoch));
    }

    [Theory]
    [InlineData(1.9, 0.1)]
    [InlineData(2, 1e-18)]
    [InlineData(9, 1e-18)]
    public void At_FromTheHardEpochOn_IsHard(double epoch, double expected)
    {
        var temperature = Temperature.Relative(1).AnnealedTo(0.1, 0, 1).HardFrom(2);

        Assert.Equal((expected, 2), (temperature.At(epoch), temperature.HardEpoch));
    }

    [Fact]
    public void At_FromTheHardEpochOn_IsHardAtAnyThresholdWhereAbsolute()
    {
        var hard = Sharpness.Of(Temperature.Absolute(1e-4).HardFrom(1).At(1), isRelative: false);

        Assert.All([1e-30, 1e-3, 1e3], threshold => Assert.True(threshold * hard.Scale(threshold, double.MaxValue) >= Sharpness.Hard));
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void HardFrom_AtAnEpochThatIsNone_Throws(double epoch) =>
        Assert.Throws<ArgumentOutOfRangeException>(nameof(epoch), () => Temperature.Relative(1).HardFrom(epoch));

    [Theory]
    [InlineData(1, 0.03)]
    [InlineData(0.03, 1)]
    public void At_WhenAnnealed_MovesOneWay(double from, double to)
    {
        var temperature = Temperature.Relative(from).AnnealedTo(to, 1, 9);

        var values = Enumerable.Range(0, 101).Select(step => temperature.At(step / 10.0)).ToArray();

        Assert.All(values.Zip(values.Skip(1)), pair => Assert.True((pair.Second - pair.First) * (to - from) >= 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1e-4)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Value_ThatIsNotPositive_Throws(double value)
    {
        Assert.Throws<ArgumentOutOfRangeException>("temperature", () => Temperature.Absolute(value));
        Assert.Throws<ArgumentOutOfRangeException>("ratio", () => Temperature.Relative(value));
        Assert.Throws<ArgumentOutOfRangeException>("to", () => Temperature.Relative(1).AnnealedTo(value, 0, 1));
    }

    [Theory]
    [InlineData(-0.1, 1, "start")]
    [InlineData(double.NaN, 1, "start")]
    [InlineData(1, 1, "end")]
    [InlineData(1, 0.5, "end")]
    [InlineData(1, double.NaN, "end")]
    public void AnnealedTo_OverAWindowThatIsNone_Throws(double start, double end, string name) =>
        Assert.Throws<ArgumentOutOfRangeException>(name, () => Temperature.Relative(1).AnnealedTo(0.5, start, end));

    [Fact]
    public void Value_AtTheSmallestPositiveNumber_IsAccepted() =>
        Assert.Equal(double.Epsilon, Temperature.Absolute(double.Epsilon).At(0));
}
