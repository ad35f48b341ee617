namespace Pdp.Baselines.Tests;

public sealed class DcpOptionsTests
{
    [Fact]
    public void Losses_MustBeDistinctNames()
    {
        Assert.Equal("Losses", Assert.Throws<ArgumentNullException>(() => new DcpOptions { Losses = null! }).ParamName);
        Assert.Equal("Losses", Assert.Throws<ArgumentException>(() => new DcpOptions { Losses = [""] }).ParamName);
        Assert.Contains(
            "'b' occurs twice",
            Assert.Throws<ArgumentException>(() => new DcpOptions { Losses = ["a", "b", "b"] }).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Losses_AreCopied()
    {
        var names = new List<string> { "a" };
        var options = new DcpOptions { Losses = names };

        names[0] = "b";

        Assert.Equal(["a"], options.Losses);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Counts_MustBeInRange(int value)
    {
        OutOfRange(() => new DcpOptions { FineTuneSteps = value }, "[1, ∞)");
        OutOfRange(() => new DcpOptions { ScoreBatches = value }, "[1, ∞)");
        OutOfRange(() => new DcpOptions { UpdateSteps = value - 1 }, "[0, ∞)");
        Assert.Equal((1, 1, 0), (
            new DcpOptions { FineTuneSteps = 1 }.FineTuneSteps,
            new DcpOptions { ScoreBatches = 1 }.ScoreBatches,
            new DcpOptions { UpdateSteps = 0 }.UpdateSteps));
    }

    [Theory]
    [InlineData(-1e-9)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Numbers_MustBeInRange(double value)
    {
        OutOfRange(() => new DcpOptions { LossWeight = value }, "[0, ∞)");
        OutOfRange(() => new DcpOptions { LearningRate = value }, "(0, ∞)");
        OutOfRange(() => new DcpOptions { LearningRate = 0 }, "(0, ∞)");
        OutOfRange(() => new DcpOptions { Momentum = value }, "[0, 1)");
        OutOfRange(() => new DcpOptions { Momentum = 1 }, "[0, 1)");
        OutOfRange(() => new DcpOptions { WeightDecay = value }, "[0, ∞)");
        Assert.Equal((0, 0, 0), (
            new DcpOptions { LossWeight = 0 }.LossWeight,
            new DcpOptions { Momentum = 0 }.Momentum,
            new DcpOptions { WeightDecay = 0 }.WeightDecay));
    }

    private static void OutOfRange(Func<DcpOptions> make, string range) =>
        Assert.Contains($"Must be in {range}", Assert.Throws<ArgumentOutOfRangeException>(make).Message, StringComparison.Ordinal);
}
