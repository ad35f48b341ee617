using CsCheck;
using Pdp.Tests.Support;

namespace Pdp.Baselines.Tests;

public sealed class SigmoidRampTests
{
    [Theory]
    [InlineData(45, 0.0066928509242848554)]
    [InlineData(49, 0.2689414213699951)]
    [InlineData(50, 0.5)]
    [InlineData(55, 0.9933071490757153)]
    public void InAHundredEpochs_ItIsTheSigmoidOfBetaOne(double epoch, double sigmoid) =>
        Close.Equal(sigmoid, new SigmoidRamp(0, 100).Fraction(epoch), 1e-12);

    [Fact]
    public void AtTheDefaultWidth_NothingIsMissingInTheLastTenth()
    {
        Assert.Equal(1, new SigmoidRamp(0, 10).Fraction(9));
        Assert.True(new SigmoidRamp(0, 10).Fraction(8) < 1);
    }

    [Fact]
    public void Fraction_RisesFromZeroToOneAndIsHalfInTheMiddle() => Law.Holds(
        Gen.Select(Gen.Double[0, 50], Gen.Double[0.1, 100], Gen.Double[0.01, 1]),
        drawn =>
        {
            var (start, length, width) = drawn;
            var ramp = new SigmoidRamp(start, start + length) { Width = width };
            var fractions = Enumerable.Range(-2, 45).Select(i => ramp.Fraction(start + (length * i / 40))).ToArray();

            Assert.Equal(fractions.Order(), fractions);
            Assert.All(fractions, fraction => Assert.InRange(fraction, 0, 1));
            Assert.Equal((0, 0, 1), (ramp.Fraction(0), ramp.Fraction(start), ramp.Fraction(start + length)));
            Assert.Equal(0.5, ramp.Fraction(start + (length / 2)), 9);
            Assert.True(ramp.Fraction(start + (length * 0.999)) > 0.999, "The end is no jump.");
        });

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.2)]
    public void Width_IsTheShareFromSigmoidOfMinusFiveToFive(double width)
    {
        var ramp = new SigmoidRamp(10, 30) { Width = width };

        Assert.Equal(0.0066928509, ramp.Fraction(20 - (10 * width)), 8);
        Assert.Equal(0.9933071491, ramp.Fraction(20 + (10 * width)), 8);
    }

    [Theory]
    [InlineData(-1, 5, 0.1, "start")]
    [InlineData(double.NaN, 5, 0.1, "start")]
    [InlineData(5, 5, 0.1, "end")]
    [InlineData(5, double.PositiveInfinity, 0.1, "end")]
    [InlineData(0, 5, 0, "Width")]
    [InlineData(0, 5, 1.01, "Width")]
    [InlineData(0, 5, double.NaN, "Width")]
    public void Values_OutsideTheirRange_AreRefused(double start, double end, double width, string name) =>
        Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(() => new SigmoidRamp(start, end) { Width = width }).ParamName);
}
