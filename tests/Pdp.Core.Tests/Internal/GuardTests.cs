using Pdp.Internal;

namespace Pdp.Tests.Internal;

public sealed class GuardTests
{
    [Theory]
    [InlineData(90, "0.9, not 90")]
    [InlineData(85.5, "0.855, not 85.5")]
    [InlineData(1.5, "0.015, not 1.5")]
    public void Fraction_WhenPerCentIsGiven_SaysHowItIsWritten(double value, string expected)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new PdpOptions { Epochs = 1, Sparsity = value });

        Assert.StartsWith($"Must be in [0, 1), a fraction: {expected}. (Parameter 'Sparsity')", error.Message, StringComparison.Ordinal);
        Assert.Equal(value, error.ActualValue);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void Fraction_WhenItIsOtherwiseOutside_GivesTheRangeAlone(double value)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Guard.Fraction(value, "name"));

        Assert.StartsWith("Must be in [0, 1). (Parameter 'name')", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryFraction_WhenPerCentIsGiven_SaysHowItIsWritten()
    {
        Action[] slips =
        [
            () => _ = new PdpOptions { Epochs = 1, MaximumLayerSparsity = 95 },
            () => _ = new PdpOptions { Epochs = 1, MinimumLayerSparsity = 100 },
            () => _ = new LayerRule(LayerMatch.First) { Sparsity = 50 },
            () => _ = new LayerRule(LayerMatch.First) { MaximumSparsity = 50 },
            () => _ = new GlobalMagnitude { DensityFloor = 20 },
            () => _ = new SparsityTable(new Dictionary<string, double> { ["a"] = 50 }),
        ];

        Assert.All(slips, slip => Assert.Contains(
            "a fraction: ", Assert.Throws<ArgumentOutOfRangeException>(slip).Message, StringComparison.Ordinal));
    }
}
