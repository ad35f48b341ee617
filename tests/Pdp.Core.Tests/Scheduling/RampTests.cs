using Pdp.Tests.Support;

namespace Pdp.Tests.Scheduling;

public sealed class RampTests
{
    [Theory]
    [InlineData(0, 0.0)]
    [InlineData(2, 0.0)]
    [InlineData(3, 0.25)]
    [InlineData(3.5, 0.375)]
    [InlineData(5, 0.75)]
    [InlineData(6, 1.0)]
    [InlineData(7, 1.0)]
    public void LinearRamp_BetweenTwoAndSix_IsTheShareOfTheWindow(double epoch, double fraction) =>
        Assert.Equal(fraction, new LinearRamp(2, 6).Fraction(epoch));

    [Theory]
    [InlineData(2, 0.0)]
    [InlineData(3, 0.578125)]
    [InlineData(4, 0.875)]
    [InlineData(5, 0.984375)]
    [InlineData(6, 1.0)]
    public void CubicRamp_BetweenTwoAndSix_IsFastAtFirst(double epoch, double fraction) =>
        Assert.Equal(fraction, new CubicRamp(2, 6).Fraction(epoch));

    [Theory]
    [InlineData(2, 0.0)]
    [InlineData(3, 0.14644660940672624)]
    [InlineData(4, 0.5)]
    [InlineData(5, 0.8535533905932737)]
    [InlineData(6, 1.0)]
    public void CosineRamp_BetweenTwoAndSix_IsGentleAtBothEnds(double epoch, double fraction) =>
        Close.Equal(fraction, new CosineRamp(2, 6).Fraction(epoch), Close.Float64);

    [Theory]
    [InlineData(15, 0.0)]
    [InlineData(16, 0.0)]
    [InlineData(17, 0.015)]
    [InlineData(17.5, 0.0225)]
    [InlineData(82, 0.99)]
    [InlineData(83, 1.0)]
    [InlineData(100, 1.0)]
    public void EpsilonRamp_OfThePaper_ReachesTheTargetInEpoch83(double epoch, double fraction) =>
        Close.Equal(fraction, new EpsilonRamp().Fraction(epoch), Close.Float64);

    [Fact]
    public void EpsilonRamp_WithoutArguments_IsThePapers()
    {
        var ramp = new EpsilonRamp();

        Assert.Equal((16, 0.015, 16), (ramp.WarmupEpochs, ramp.Epsilon, ramp.StartEpoch));
        Assert.InRange(ramp.EndEpoch, 82, 83);
    }

    [Theory]
    [InlineData(49)]
    [InlineData(98)]
    [InlineData(103)]
    [InlineData(107)]
    public void EpsilonRamp_WhoseEpsilonIsNoBinaryFraction_IsDoneAtItsEnd(int epochs)
    {
        var ramp = new EpsilonRamp { WarmupEpochs = 0, Epsilon = 1.0 / epochs };

        Assert.Equal(1, ramp.Fraction(ramp.EndEpoch));
    }

    [Theory]
    [InlineData(0.0, 0.0, 1.0)]
    [InlineData(2.999, 0.0, 1.0)]
    [InlineData(3.0, 1.0, 1.0)]
    [InlineData(4.0, 1.0, 1.0)]
    public void OneShot_AtEpochThree_JumpsThereAndConstantSparsityAtOnce(double epoch, double jump, double constant) =>
        Assert.Equal((jump, constant), (new OneShot { Epoch = 3 }.Fraction(epoch), new ConstantSparsity().Fraction(epoch)));

    [Theory]
    [InlineData(-0.001, 5)]
    [InlineData(double.NaN, 5)]
    [InlineData(double.PositiveInfinity, 5)]
    [InlineData(5, 5)]
    [InlineData(5, 4.999)]
    [InlineData(0, double.NaN)]
    [InlineData(0, double.PositiveInfinity)]
    [InlineData(0, double.NegativeInfinity)]
    public void Ramp_WithAWindowThatIsNone_Throws(double start, double end)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearRamp(start, end));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CubicRamp(start, end));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CosineRamp(start, end));
    }

    [Fact]
    public void Ramp_WithTheShortestWindow_IsAccepted()
    {
        var ramp = new LinearRamp(0, double.Epsilon);

        Assert.Equal((0, 1), (ramp.Fraction(0), ramp.Fraction(double.Epsilon)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-0.1)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NaN)]
    public void Epsilon_OutsideOfItsRange_Throws(double epsilon)
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>("Epsilon", () => new EpsilonRamp { Epsilon = epsilon });

        Assert.Contains("(0, ∞)", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1e-9)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Epoch_ThatIsNegativeOrNotFinite_Throws(double epoch)
    {
        Assert.Throws<ArgumentOutOfRangeException>("Epoch", () => new OneShot { Epoch = epoch });
        Assert.Throws<ArgumentOutOfRangeException>("WarmupEpochs", () => new EpsilonRamp { WarmupEpochs = epoch });
        Assert.Throws<ArgumentOutOfRangeException>("WarmupEpochs", () => new EpsilonRamp() with { WarmupEpochs = epoch });
    }

    // In short runs the whole ramp fits into an epoch.
    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 2.5)]
    [InlineData(1024, 2 + (1 / 1024.0))]
    public void Epsilon_OfAnEpochOrLess_ReachesTheTargetWithinIt(double epsilon, double end)
    {
        var ramp = new EpsilonRamp { WarmupEpochs = 2, Epsilon = epsilon };

        Assert.Equal((0, 0.5, 1, 1), (ramp.Fraction(2), ramp.Fraction((2 + end) / 2), ramp.Fraction(end), ramp.Fraction(9)));
        Assert.Equal(end, ramp.EndEpoch);
    }
}
