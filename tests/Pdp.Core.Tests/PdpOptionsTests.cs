namespace Pdp.Tests;

/// <summary>Values of options that are refused where they are set.</summary>
public sealed class PdpOptionsTests
{
    private static readonly PdpOptions Options = new() { Sparsity = 0.5, Epochs = 4 };

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Epochs_NotPositive_AreRefused(double epochs) =>
        Assert.Throws<ArgumentOutOfRangeException>("Epochs", () => Options with { Epochs = epochs });

    [Fact]
    public void Null_WhereThereIsADefault_IsRefused()
    {
        Assert.Throws<ArgumentNullException>("Strategy", () => Options with { Strategy = null! });
        Assert.Throws<ArgumentNullException>("Include", () => Options with { Include = null! });
        Assert.Throws<ArgumentNullException>("Exclude", () => Options with { Exclude = null! });
        Assert.Throws<ArgumentNullException>("Rules", () => Options with { Rules = null! });
    }

    [Theory]
    [InlineData("Sparsity", 1, 100, 16, 0.015)]
    [InlineData("Epochs", 0.9, 0, 16, 0.015)]
    [InlineData("WarmupEpochs", 0.9, 100, -1, 0.015)]
    [InlineData("Epsilon", 0.9, 100, 16, 0)]
    [InlineData("Epsilon", 0.9, 100, 16, double.PositiveInfinity)]
    public void Paper_OfAValueOutOfItsRange_NamesIt(string name, double sparsity, double epochs, double warmupEpochs, double epsilon) =>
        Assert.Throws<ArgumentOutOfRangeException>(name, () => PdpOptions.Paper(sparsity, epochs, warmupEpochs, epsilon));
}
