using static TorchSharp.torch;

namespace Pdp.Tests;

public sealed class SensitivityMisuseTests
{
    [Theory]
    [InlineData("A scan needs at least one level")]
    [InlineData("Must be in (0, 1)", 0.0)]
    [InlineData("Must be in (0, 1)", 0.5, 1.0)]
    [InlineData("Must be in (0, 1)", double.NaN)]
    [InlineData("Levels must rise, but 0.5 comes after 0.5", 0.5, 0.5)]
    public void Scan_OfLevelsThatAreNone_Throws(string expected, params double[] levels)
    {
        using var model = TestModels.Mlp();

        Assert.Contains(
            expected,
            Assert.ThrowsAny<ArgumentException>(() => Sensitivity.Scan(model, () => 1, levels)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_WhereAPrunerIsAtWork_Refuses()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Epochs = 4, Sparsity = 0.5 });
        pruner.BeginEpoch(0);

        Assert.Contains(
            "Another pruner",
            Assert.Throws<InvalidOperationException>(() => Sensitivity.Scan(model, () => 1, [0.25, 0.5, 0.9])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_ByAChannelMapWithoutItsStrategy_AsksForIt()
    {
        using var model = TestModels.Mlp();
        using var example = ones(1, 16);
        var options = new PdpOptions { Epochs = 1, Channels = ChannelMap.Find(model, example) };

        Assert.Contains(
            "set Strategy = new PerChannel()",
            Assert.Throws<ArgumentException>(() => Sensitivity.Scan(model, () => 1, [0.5], options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_OfAWeightThatIsNotFinite_NamesIt()
    {
        using var model = TestModels.Mlp();
        using (NewDisposeScope())
        using (no_grad())
            model.get_parameter("second.weight")![3, 4] = float.NaN;

        Assert.Contains(
            "'second.weight' holds NaN or infinity",
            Assert.Throws<InvalidOperationException>(() => Sensitivity.Scan(model, () => 1, [0.5])).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-0.01)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Bounds_OfADropThatIsNone_Throw(double drop)
    {
        using var model = TestModels.Mlp();
        var report = Sensitivity.Scan(model, () => 1, [0.5]);

        Assert.Throws<ArgumentOutOfRangeException>("maximumDrop", () => report.Bounds(drop));
    }

    [Fact]
    public void Scan_OfAMetricThatIsNone_Throws()
    {
        using var model = TestModels.Mlp();

        Assert.Contains(
            "not a number",
            Assert.Throws<InvalidOperationException>(() => Sensitivity.Scan(model, () => double.NaN, [0.25, 0.5, 0.9])).Message,
            StringComparison.Ordinal);
    }
}
