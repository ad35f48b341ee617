using Pdp.Layers;
using TorchSharp.Modules;
using static Pdp.Tests.Layers.Decisions;
using static TorchSharp.torch;

namespace Pdp.Tests.Layers;

public sealed class LayerPatternTests
{
    // The place of a layer does not depend on what is trained today.
    [Fact]
    public void Select_WithThePresets_CountsFrozenLayers()
    {
        using var model = Models.Convolutional();
        model.parameters().First().requires_grad = false;

        var layers = LayerMatching.Select(model, [], [LayerMatch.First], []);

        Assert.Equal("excluded by the first layer", ReasonOf(layers, "conv1.weight"));
        Assert.Equal(4, Pruned(layers).Count());
    }

    [Theory]
    [InlineData("tokens")]
    [InlineData("bag.weight")]
    [InlineData("norm.weight")]
    public void Select_WithAnEmbeddingOrNormIncluded_PrunesThatAlone(string pattern)
    {
        using var model = Models.Language();

        var layers = LayerMatching.Select(model, [pattern], [], []);

        Assert.Single(Pruned(layers));
        Assert.Equal("not included", ReasonOf(layers, "head.weight"));
    }

    [Theory]
    [InlineData("conv1", new[] { "conv1.weight" })]
    [InlineData("*conv1", new[] { "conv1.weight", "layer1.conv1.weight", "layer2.conv1.weight" })]
    [InlineData("*.conv1", new[] { "layer1.conv1.weight", "layer2.conv1.weight" })]
    [InlineData("layer?.conv1.weight", new[] { "layer1.conv1.weight", "layer2.conv1.weight" })]
    [InlineData("layer2", new[] { "layer2.conv1.weight", "layer2.down.weight" })]
    [InlineData("layer?", new[] { "layer1.conv1.weight", "layer2.conv1.weight", "layer2.down.weight" })]
    [InlineData("layer2.*", new[] { "layer2.conv1.weight", "layer2.down.weight" })]
    [InlineData("*.weight", new[] { "conv1.weight", "layer1.conv1.weight", "layer2.conv1.weight", "layer2.down.weight", "fc.weight" })]
    [InlineData("fc.weight", new[] { "fc.weight" })]
    public void Select_ByPattern_TakesTheWeightAndAllBelowAModule(string pattern, string[] expected)
    {
        using var model = Models.Convolutional();

        var layers = LayerMatching.Select(model, [pattern], [], []);

        Assert.Equal(expected, Pruned(layers));
    }

    [Theory]
    [InlineData("Conv1")]
    [InlineData("conv")]
    [InlineData("c.nv1")]
    [InlineData("layer")]
    [InlineData("conv1.bias")]
    public void Select_ByAPatternThatMatchesNothing_ListsTheCandidates(string pattern)
    {
        using var model = Models.Convolutional();

        var fault = Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, [], [pattern], []));

        Assert.Contains($"No weight matches '{pattern}'", fault.Message, StringComparison.Ordinal);
        Assert.Contains(
            "conv1.weight, layer1.conv1.weight, layer2.conv1.weight, layer2.down.weight, fc.weight",
            fault.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Select_WithAParentExcludedOrUnderARule_MeansAllOfItsWeights()
    {
        using var model = Models.Convolutional();

        var layers = LayerMatching.Select(model, [], ["layer2"], [new("layer1") { Sparsity = 0.2 }]);

        Assert.Equal("excluded by 'layer2'", ReasonOf(layers, "layer2.conv1.weight"));
        Assert.Equal(["conv1.weight", "layer1.conv1.weight", "fc.weight"], Pruned(layers));
        Assert.Equal([null, 0.2, null, null, null], layers.Select(layer => layer.Rule?.Sparsity));
    }

    [Fact]
    public void Select_WithAnIncludeOrARuleThatMatchesNothing_Throws()
    {
        using var model = Models.Convolutional();

        Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, ["conv1", "nothing"], [], []));
        Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, [], [], [new LayerRule("nothing")]));
    }

    [Fact]
    public void Select_ByType_TakesTheWeightsOfSuchModules()
    {
        using var model = Models.Convolutional();

        var layers = LayerMatching.Select(model, [LayerMatch.OfType<Linear>()], [], []);

        Assert.Equal(["fc.weight"], Pruned(layers));
    }

    [Fact]
    public void Select_ByPredicate_SeesTheLayout()
    {
        using var model = Models.Convolutional();
        var pointwise = LayerMatch.Where(layer => layer.Layout.Shape.Count == 4 && layer.Layout.Shape[2] == 1, "pointwise convolutions");

        var layers = LayerMatching.Select(model, [], [pointwise], []);

        Assert.Equal("excluded by pointwise convolutions", ReasonOf(layers, "layer2.down.weight"));
        Assert.Equal(4, Pruned(layers).Count());
    }

    [Fact]
    public void Select_WithThePresets_ExcludesTheFirstLayerAndTheClassifier()
    {
        using var model = Models.Convolutional();

        var layers = LayerMatching.Select(model, [], [LayerMatch.First, LayerMatch.Classifier], []);

        Assert.Equal("excluded by the first layer", ReasonOf(layers, "conv1.weight"));
        Assert.Equal("excluded by the classifier", ReasonOf(layers, "fc.weight"));
        Assert.Equal(3, Pruned(layers).Count());
    }

    [Fact]
    public void Select_WithThePresets_CountsOnlyWhatIsPrunedByDefault()
    {
        using var model = Models.Language();

        var layers = LayerMatching.Select(model, [], [LayerMatch.First], []);

        Assert.Equal(["head.weight"], Pruned(layers));
        Assert.Equal("excluded by the first layer", ReasonOf(layers, "hidden.weight"));
    }

    [Fact]
    public void Select_WithIncludeAndExclude_LetsExcludeWin()
    {
        using var model = Models.Convolutional();

        var layers = LayerMatching.Select(model, ["layer*"], ["*.down"], []);

        Assert.Equal(["layer1.conv1.weight", "layer2.conv1.weight"], Pruned(layers));
        Assert.Equal("excluded by '*.down'", ReasonOf(layers, "layer2.down.weight"));
        Assert.Equal("not included", ReasonOf(layers, "conv1.weight"));
    }

    [Fact]
    public void Select_WithSeveralRules_TakesTheFirstThatMatches()
    {
        using var model = Models.Convolutional();
        LayerRule[] rules = [new("layer2.down") { Sparsity = 0.1 }, new("layer2.*") { Sparsity = 0.2 }, new("*") { Sparsity = 0.3 }];

        var layers = LayerMatching.Select(model, [], [], rules);

        Assert.Equal([0.3, 0.3, 0.2, 0.1, 0.3], layers.Select(layer => layer.Rule!.Sparsity!.Value));
    }

    [Fact]
    public void Select_WithIntegerWeightsIncluded_TellsThatTheyCannotBePruned()
    {
        using var model = new Models.Custom(
            ("codes", new Parameter(ones([4, 4], dtype: ScalarType.Int64), requires_grad: false)), ("weight", new Parameter(ones([4, 4]))));

        var fault = Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, ["codes", "weight"], [], []));

        Assert.Contains(
            "'codes' is included, but stays dense: codes: Int64 weights can't be pruned", fault.Message, StringComparison.Ordinal);
        Assert.Equal(["weight"], Pruned(LayerMatching.Select(model, ["*"], [], [])));
    }
}
