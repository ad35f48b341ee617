using Pdp.Tests.Support;

namespace Pdp.Tests.Scheduling;

/// <summary>Schedules of coremltools (CT), TensorFlow Model Optimization (TFMOT) and torchao (PAT), as far as they are ours.</summary>
public sealed class ScheduleCaseTests
{
    [Theory]
    [InlineData(4, 0)]
    [InlineData(6.5, .875)]
    [InlineData(9, 1)]
    public void Ct_PolynomialFromFourToNine_IsTheCubicRamp(double epoch, double sparsity) =>
        Assert.Equal(sparsity, new CubicRamp(4, 9).Fraction(epoch));

    [Fact]
    public void Ct_OneUpdateStepAtThree_IsOneShot() =>
        Assert.Equal([0, 1, 1], new[] { 2.0, 3, 4 }.Select(new OneShot { Epoch = 3 }.Fraction));

    [Fact]
    public void Ct_NegativeUpdateSteps_AreRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CubicRamp(-4, 9));

    [Theory]
    [InlineData(100, .2)]
    [InlineData(102, .4928)]
    [InlineData(105, .725)]
    [InlineData(110, .8)]
    [InlineData(200, .8)]
    public void Tfmot_PolynomialDecayFromAnInitialSparsity_IsTheCubicRampBetweenThem(double step, double sparsity)
    {
        var fraction = new CubicRamp(100, 110).Fraction(step);

        Close.Equal(sparsity, .2 + ((.8 - .2) * fraction), Close.Float64);
    }

    [Fact]
    public void Tfmot_ConstantSparsity_IsThereFromItsBeginStep()
    {
        var schedule = new OneShot { Epoch = 10 };

        Assert.Equal([0, 1, 1], new[] { 9.0, 10, 1e6 }.Select(schedule.Fraction));
    }

    [Fact]
    public void Pat_CubicAtTheMiddle_IsSevenEighthsOfTheTarget() =>
        Assert.Equal(.875, new CubicRamp(0, 7).Fraction(3.5));
}
