using Pdp.Layers;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static Pdp.Tests.Layers.Decisions;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Layers;

public sealed class TiedWeightMatchingTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Select_WithTiedWeights_PrunesThemOnce(bool sameObject)
    {
        using var model = new Models.Tied(sameObject);

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(["_first.weight", "_third.weight"], Pruned(layers));
        Assert.All(layers.Where(layer => layer.Info.Name == "_second.weight"), layer => Assert.Equal(
            "tied to _first.weight", layer.DenseReason));
    }

    [Fact]
    public void Select_WithATiedWeightIncludedByItsSecondName_StillPrunesItOnce()
    {
        using var model = new Models.Tied(sameObject: false);

        var layers = LayerMatching.Select(model, ["_first", "_second"], [], []);

        Assert.Equal(["_first.weight"], Pruned(layers));
    }

    [Fact]
    public void Select_WithAModuleUnderTwoNames_PrunesItOnce()
    {
        var shared = Linear(4, 4);
        using var model = new Models.Tree(("encoder", shared), ("decoder", shared), ("head", Linear(4, 2)));

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(["encoder.weight", "head.weight"], Pruned(layers));
    }

    [Fact]
    public void Select_WithAHeadTiedToTheEmbedding_LeavesBothDense()
    {
        using var embedding = Embedding(20, 8);
        using var head = Linear(8, 20, hasBias: false);
        head.weight = new Parameter(embedding.weight!.detach());
        using var model = new Models.Tree(("tokens", embedding), ("hidden", Linear(8, 8)), ("head", head));

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(["hidden.weight"], Pruned(layers));
        Assert.Equal("tied to tokens.weight", ReasonOf(layers, "head.weight"));
    }

    [Fact]
    public void Select_WithAHeadBeforeTheEmbeddingThatItIsTiedTo_LeavesBothDense()
    {
        using var head = Linear(8, 20, hasBias: false);
        using var embedding = Embedding(20, 8);
        embedding.weight = head.weight;
        using var model = new Models.Tree(("head", head), ("hidden", Linear(8, 8)), ("tokens", embedding));

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(["hidden.weight"], Pruned(layers));
        Assert.Equal("tied to tokens.weight: embeddings stay dense unless included", ReasonOf(layers, "head.weight"));
    }

    [Theory]
    [InlineData("tokens", "hidden", "wide", "head")]
    [InlineData("hidden", "wide", "head", "tokens")]
    [InlineData("head", "hidden", "wide", "tokens")]
    [InlineData("hidden", "wide", "tokens", "head")]
    public void Select_WithAHeadTiedToTheEmbedding_TakesItForTheClassifier(params string[] order)
    {
        using var head = Linear(8, 20, hasBias: false);
        using var embedding = Embedding(20, 8);
        embedding.weight = head.weight;
        var modules = new Dictionary<string, Module>
        {
            ["tokens"] = embedding,
            ["hidden"] = Linear(8, 32),
            ["wide"] = Linear(32, 8),
            ["head"] = head,
        };
        using var model = new Models.Tree([.. order.Select(name => (name, modules[name]))]);

        Assert.Equal(["hidden.weight", "wide.weight"], Pruned(LayerMatching.Select(model, [], [LayerMatch.Classifier], [])));
        var included = LayerMatching.Select(model, ["*"], [LayerMatch.Classifier], []);
        Assert.Equal(["hidden.weight", "wide.weight"], Pruned(included));
        Assert.Contains("excluded by the classifier", included.Select(layer => layer.DenseReason));
        Assert.Equal(0.2, LayerMatching.Select(model, ["*"], [], [new(LayerMatch.Classifier) { Sparsity = 0.2 }])
            .Single(layer => layer.Info.Name == "head.weight").Rule?.Sparsity);
    }

    [Fact]
    public void Select_WithADecoderTiedToTheEncoder_TakesTheLastOfItsNames()
    {
        using var encoder = Linear(8, 8, hasBias: false);
        using var decoder = Linear(8, 8, hasBias: false);
        decoder.weight = encoder.weight;
        using var model = new Models.Tree(("encoder", encoder), ("middle", Linear(8, 8)), ("decoder", decoder));

        Assert.Equal(["middle.weight"], Pruned(LayerMatching.Select(model, [], [LayerMatch.Classifier], [])));
    }

    [Theory]
    [InlineData("_first", "_second")]
    [InlineData("_second", "_first")]
    public void Select_WithEitherNameOfATiedWeight_MeansTheWeight(string name, string other)
    {
        using var model = new Models.Tied(sameObject: true);

        Assert.Equal(["_third.weight"], Pruned(LayerMatching.Select(model, [], [name], [])));
        Assert.Equal(["_first.weight"], Pruned(LayerMatching.Select(model, [name], [], [])));
        Assert.Equal(["_third.weight"], Pruned(LayerMatching.Select(model, [name, "_third"], [], [new(name) { Sparsity = 0.5 }])).Skip(1));
        Assert.Equal(0.5, LayerMatching.Select(model, [], [], [new(name) { Sparsity = 0.5 }])[0].Rule?.Sparsity);
        Assert.Contains(
            $"'{name}' is included, but stays dense: _first.weight: excluded by '{other}'",
            Fault(model, [name], [other]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Select_WithEqualRulesForBothNamesOfATiedWeight_TakesThem()
    {
        using var model = new Models.Tied(sameObject: true);

        var layers = LayerMatching.Select(model, [], [], [new("_first") { Sparsity = 0.9 }, new("_second") { Sparsity = 0.9 }]);

        Assert.Equal(0.9, layers[0].Rule?.Sparsity);
    }

    [Fact]
    public void Select_WithStrategiesOfOnesOwn_TakesThemAsEqualIfTheySayTheSame()
    {
        using var model = new Models.Tied(sameObject: true);
        static LayerRule Rule(string name, string words) => new(name) { Strategy = new PlainStrategy(words) };

        Assert.Equal(
            "'_first'", LayerMatching.Select(model, [], [], [Rule("_first", "a"), Rule("_second", "a")])[0].Rule?.Match.ToString());
        Assert.Contains(
            "The rule for '_second' never applies",
            Fault(model, [], [], Rule("_first", "a"), Rule("_second", "b")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("_first", "_second")]
    [InlineData("_second", "_first")]
    public void Select_WithARuleForOneNameOfATiedWeight_LetsTheFirstRuleCount(string name, string other)
    {
        using var model = new Models.Tied(sameObject: true);

        var layers = LayerMatching.Select(model, [], [], [new(name) { Sparsity = 0.2 }, new("*") { MaximumSparsity = 0.9 }]);

        Assert.Equal([$"'{name}'", $"'{name}'", "'*'"], layers.Select(layer => layer.Rule?.Match.ToString()));
        var fault = Fault(model, [], [], new(name) { Sparsity = 0.9 }, new(other) { Sparsity = 0.5 });
        Assert.Contains(
            $"The rule for '{other}' never applies, as an earlier one does: that for '{name}' for {other}.weight",
            fault,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("fc.weight")]
    public void Select_WithARuleBehindOneForAllOfItsWeights_NamesBoth(string earlier)
    {
        using var model = Models.Convolutional();

        var fault = Fault(model, [], [], new(earlier) { Sparsity = 0.25 }, new("fc") { Sparsity = 0.42 });

        Assert.Contains(
            $"The rule for 'fc' never applies, as an earlier one does: that for '{earlier}' for fc.weight",
            fault,
            StringComparison.Ordinal);
    }

    private static string Fault(Module model, LayerMatch[] include, LayerMatch[] exclude, params LayerRule[] rules) =>
        Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, include, exclude, rules)).Message;
}
