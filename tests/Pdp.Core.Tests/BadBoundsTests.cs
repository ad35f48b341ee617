using System.Globalization;
using System.Text.RegularExpressions;

namespace Pdp.Tests;

/// <summary>Bounds that contradict the target, a pattern or each other are errors that name the layer.</summary>
public sealed class BadBoundsTests
{
    private static readonly PdpOptions Options = new() { Sparsity = 0.5, Epochs = 4 };

    [Fact]
    public void Target_ThatTheMinimumMakesUnreachable_TellsWhatIsReachable()
    {
        using var model = TestModels.Mlp();

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options with { MinimumLayerSparsity = 0.7 }));

        Assert.Contains("832 of 1664 weights can't be met", fault.Message);
        Assert.Contains("Choose a sparsity in [0.", fault.Message);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.29997)]
    [InlineData(0.301)]
    public void Target_ThatTheMaximumMakesUnreachable_NamesASparsityThatCanBeMet(double maximum)
    {
        using var model = TestModels.Mlp();
        var options = Options with { MaximumLayerSparsity = maximum };

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));

        var largest =
            double.Parse(Regex.Match(fault.Message, @"Choose a sparsity in \[.+, (\S+)\]").Groups[1].Value, CultureInfo.InvariantCulture);
        using var pruner = new PdpPruner(model, options with { Sparsity = largest });
        Assert.All(pruner.Plan().Layers, layer => Assert.Equal((long)(maximum * layer.Elements), layer.Removed));
    }

    [Fact]
    public void Minimum_AboveTheMaximum_NamesTheLayer()
    {
        using var model = TestModels.Mlp();
        var rule = new LayerRule("second") { MinimumSparsity = 0.6, MaximumSparsity = 0.4 };

        Assert.Contains("'second.weight'",
            Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options with { Rules = [rule] })).Message);
    }

    [Theory]
    [InlineData(0.6, 1.0)]
    [InlineData(0.0, 0.4)]
    public void Bounds_ThatContradictAPattern_AreNamed(double minimum, double maximum)
    {
        using var model = TestModels.Mlp();
        var pattern = new PdpOptions { Epochs = 4, Strategy = NofM.Keep(2, of: 4) };
        var rule = new LayerRule("second") { MinimumSparsity = minimum, MaximumSparsity = maximum };

        Assert.Contains("'second.weight' has a fixed sparsity of 0.5, by 2:4", Assert.Throws<ArgumentException>(
            () => new PdpPruner(model, pattern with { Rules = [rule] })).Message, StringComparison.Ordinal);
        Assert.Contains("by the rule for 'second'", Assert.Throws<ArgumentException>(
            () => new PdpPruner(model, Options with { Rules = [rule with { Sparsity = 0.5 }] })).Message, StringComparison.Ordinal);
        Assert.Contains("'first.weight'", Assert.Throws<ArgumentException>(() => new PdpPruner(model,
            pattern with { MinimumLayerSparsity = minimum, MaximumLayerSparsity = maximum })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bounds_ThatAPatternMeets_AreAccepted()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new()
        {
            Epochs = 4,
            Strategy = NofM.Keep(1, of: 4),
            MinimumLayerSparsity = 0.75,
            MaximumLayerSparsity = 0.75,
            Rules = [new("last") { Strategy = NofM.Keep(2, of: 4) }]
        });

        Assert.Equal([0.75, 0.75, 0.5], pruner.Plan().Layers.Select(layer => layer.Sparsity));
    }
}
