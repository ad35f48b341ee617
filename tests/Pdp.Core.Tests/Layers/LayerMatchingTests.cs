using Pdp.Layers;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Layers;

public sealed class LayerMatchingTests
{
    [Fact]
    public void Select_ByDefault_TakesTheWeightsOfLayers()
    {
        using var model = Models.Convolutional();

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(["conv1.weight", "layer1.conv1.weight", "layer2.conv1.weight", "layer2.down.weight", "fc.weight"], Pruned(layers));
        Assert.Equal(5, layers.Count);
    }

    [Fact]
    public void Select_ByDefault_LeavesEmbeddingsAndNormsDense()
    {
        using var model = Models.Language();

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(["hidden.weight", "head.weight"], Pruned(layers));
        Assert.Equal("embeddings stay dense unless included", ReasonOf(layers, "tokens.weight"));
        Assert.Equal("embeddings stay dense unless included", ReasonOf(layers, "bag.weight"));
        Assert.Equal("norms stay dense unless included", ReasonOf(layers, "norm.weight"));
    }

    [Fact]
    public void Select_FromNestedModules_KeepsTheOrderOfTheModelsParameters()
    {
        using var model = new Models.Tree(
            ("a", new Models.Tree(("x", Linear(2, 2)), ("y", new Models.Tree(("z", Linear(2, 2)))))),
            ("b", Linear(2, 2)),
            ("c", new Models.Tree(("x", Linear(2, 2)))));

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(model.named_parameters().Where(pair => pair.parameter.dim() == 2).Select(pair => pair.name), Pruned(layers));
        Assert.Equal([0, 1, 2, 3], layers.Select(layer => layer.Info.Index));
    }

    [Fact]
    public void Select_ByDefault_LeavesParametersOfUsersModulesDense()
    {
        using var model = new Models.Vision();

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(["patches.weight", "head.weight"], Pruned(layers));
        Assert.Equal("a parameter of 'Vision', not the weight of a layer: include it to prune it", ReasonOf(layers, "classToken"));
        Assert.Equal(["classToken", "positions", "scale"], layers.Where(layer => layer.DenseReason is not null).Select(layer => layer.Info.Name));
    }

    [Fact]
    public void Select_WithParametersOfUsersModulesIncluded_PrunesThem()
    {
        using var model = new Models.Vision();

        Assert.Equal(["positions", "head.weight"], Pruned(LayerMatching.Select(model, ["positions", "head"], [], [])));
    }

    [Fact]
    public void Select_WithLayersWrittenByHandIncluded_CountsThemAmongTheLayers()
    {
        using var model = new Models.Vision();

        var layers = LayerMatching.Select(model, ["*"], [LayerMatch.First], []);

        Assert.Equal("excluded by the first layer", ReasonOf(layers, "classToken"));
        Assert.Equal(4, Pruned(layers).Count());
    }

    [Fact]
    public void Select_ByDefault_LeavesFrozenWeightsDense()
    {
        using var model = Models.Convolutional();
        foreach (var (name, parameter) in model.named_parameters().Where(pair => pair.name.StartsWith("conv1", StringComparison.Ordinal)))
            parameter.requires_grad = false;

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal("frozen (requires_grad is false): include it to prune it", ReasonOf(layers, "conv1.weight"));
        Assert.Equal(4, Pruned(layers).Count());
        Assert.Equal(["conv1.weight"], Pruned(LayerMatching.Select(model, ["conv1"], [], [])));
        Assert.Contains("conv1.weight: frozen", Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, [], [], [new LayerRule("conv1") { Sparsity = 0.5 }])).Message, StringComparison.Ordinal);
    }

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
    [InlineData("lstm")]
    [InlineData("gru")]
    [InlineData("lstm cell")]
    [InlineData("attention")]
    [InlineData("attention with bias_k")]
    [InlineData("transformer")]
    [InlineData("transformer layer")]
    [InlineData("bilinear")]
    [InlineData("transposed")]
    public void Select_ByDefault_TakesTheMatricesOfNativeModules(string kind)
    {
        using var model = new Models.Tree(("inner", NativeModule(kind)));

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(model.named_parameters().Where(pair => pair.parameter.dim() >= 2 && !pair.name.Contains("bias", StringComparison.Ordinal)).Select(pair => pair.name), Pruned(layers));
        Assert.Equal(kind == "attention with bias_k" ? 2 : 0, layers.Count(layer => layer.DenseReason is not null));
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
    [InlineData("layer2.*", new[] { "layer2.conv1.weight", "layer2.down.weight" })]
    [InlineData("*.weight", new[] { "conv1.weight", "layer1.conv1.weight", "layer2.conv1.weight", "layer2.down.weight", "fc.weight" })]
    [InlineData("fc.weight", new[] { "fc.weight" })]
    public void Select_ByPattern_MatchesTheWholeNameOfTheWeightOrOfItsModule(string pattern, string[] expected)
    {
        using var model = Models.Convolutional();

        var layers = LayerMatching.Select(model, [pattern], [], []);

        Assert.Equal(expected, Pruned(layers));
    }

    [Theory]
    [InlineData("Conv1")]
    [InlineData("conv")]
    [InlineData("c.nv1")]
    [InlineData("layer1")]
    [InlineData("conv1.bias")]
    public void Select_ByAPatternThatMatchesNothing_ListsTheCandidates(string pattern)
    {
        using var model = Models.Convolutional();

        var fault = Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, [], [pattern], []));

        Assert.Contains($"No weight matches '{pattern}'", fault.Message, StringComparison.Ordinal);
        Assert.Contains("conv1.weight, layer1.conv1.weight, layer2.conv1.weight, layer2.down.weight, fc.weight", fault.Message, StringComparison.Ordinal);
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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Select_WithTiedWeights_PrunesThemOnce(bool sameObject)
    {
        using var model = new Models.Tied(sameObject);

        var layers = LayerMatching.Select(model, [], [], []);

        Assert.Equal(["_first.weight", "_third.weight"], Pruned(layers));
        Assert.All(layers.Where(layer => layer.Info.Name == "_second.weight"), layer => Assert.Equal("tied to _first.weight", layer.DenseReason));
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
        var modules = new Dictionary<string, Module> { ["tokens"] = embedding, ["hidden"] = Linear(8, 32), ["wide"] = Linear(32, 8), ["head"] = head };
        using var model = new Models.Tree([.. order.Select(name => (name, modules[name]))]);

        Assert.Equal(["hidden.weight", "wide.weight"], Pruned(LayerMatching.Select(model, [], [LayerMatch.Classifier], [])));
        var included = LayerMatching.Select(model, ["*"], [LayerMatch.Classifier], []);
        Assert.Equal(["hidden.weight", "wide.weight"], Pruned(included));
        Assert.Contains("excluded by the classifier", included.Select(layer => layer.DenseReason));
        Assert.Equal(0.2, LayerMatching.Select(model, ["*"], [], [new(LayerMatch.Classifier) { Sparsity = 0.2 }]).Single(layer => layer.Info.Name == "head.weight").Rule?.Sparsity);
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
        Assert.Contains($"'{name}' is included, but stays dense: _first.weight: excluded by '{other}'", Fault(model, [name], [other]), StringComparison.Ordinal);
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

        Assert.Equal("'_first'", LayerMatching.Select(model, [], [], [Rule("_first", "a"), Rule("_second", "a")])[0].Rule?.Match.ToString());
        Assert.Contains("The rule for '_second' never applies", Fault(model, [], [], Rule("_first", "a"), Rule("_second", "b")), StringComparison.Ordinal);
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
        Assert.Contains($"The rule for '{other}' never applies, as an earlier one does: that for '{name}' for {other}.weight", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("fc.weight")]
    public void Select_WithARuleBehindOneForAllOfItsWeights_NamesBoth(string earlier)
    {
        using var model = Models.Convolutional();

        var fault = Fault(model, [], [], new(earlier) { Sparsity = 0.25 }, new("fc") { Sparsity = 0.42 });

        Assert.Contains($"The rule for 'fc' never applies, as an earlier one does: that for '{earlier}' for fc.weight", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_WithIntegerWeightsIncluded_TellsThatTheyCannotBePruned()
    {
        using var model = new Models.Custom(("codes", new Parameter(ones([4, 4], dtype: ScalarType.Int64), requires_grad: false)), ("weight", new Parameter(ones([4, 4]))));

        var fault = Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, ["codes", "weight"], [], []));

        Assert.Contains("'codes' is included, but stays dense: codes: Int64 weights can't be pruned", fault.Message, StringComparison.Ordinal);
        Assert.Equal(["weight"], Pruned(LayerMatching.Select(model, ["*"], [], [])));
    }

    [Fact]
    public void Select_WithAnEmptyWeight_LeavesItDense()
    {
        using var model = new Models.Custom(("nothing", new Parameter(empty([0, 4]))), ("weight", new Parameter(ones([4, 4]))));

        var layers = LayerMatching.Select(model, ["*"], [], []);

        Assert.Equal(["weight"], Pruned(layers));
    }

    [Fact]
    public void Select_FromAModelWithoutWeights_Throws()
    {
        using var model = Sequential(("norm", BatchNorm1d(4)), ("relu", ReLU()));

        var fault = Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, [], [], []));

        Assert.Contains("nothing to prune", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_FromASingleLayer_FindsItsWeight()
    {
        using var model = Linear(4, 3);

        var layer = Assert.Single(LayerMatching.Select(model, ["weight"], [], []));

        Assert.Equal(("weight", "", true, 0), (layer.Info.Name, layer.Info.ModuleName, layer.Info.IsLast, layer.Info.Index));
        Assert.Same(model, layer.Info.Module);
    }

    [Theory]
    [InlineData("lstm", "weight_ih_l0", "weight_hh_l1")]
    [InlineData("gru", "weight_ih_l0", "weight_hh_l0_reverse")]
    [InlineData("attention", "in_proj_weight", "out_proj.weight")]
    [InlineData("transformer", "layers.0.self_attn.in_proj_weight", "layers.1.linear2.weight")]
    [InlineData("transformer layer", "self_attn.out_proj.weight", "linear1.weight")]
    public void Select_FromANativeModule_FindsItsWeightsByName(string kind, string first, string second)
    {
        using var inner = NativeModule(kind);
        using var model = new Models.Tree(("head", Linear(8, 8)), ("inner", inner));

        var layers = LayerMatching.Select(model, ["inner*"], [], []);

        var names = Pruned(layers).ToArray();
        Assert.Contains(names, name => name.EndsWith(first, StringComparison.Ordinal));
        Assert.Contains(names, name => name.EndsWith(second, StringComparison.Ordinal));
        Assert.Equal(inner.named_parameters().Count(pair => pair.parameter.dim() >= 2), names.Length);
    }

    [Fact]
    public void Select_OfTransposedConvolutions_KnowsTheirInputs()
    {
        using var model = Sequential(("up", ConvTranspose2d(16, 8, 3, groups: 4)), ("flat", Flatten()), ("conv", Conv1d(6, 4, 3, groups: 2)));

        var layers = LayerMatching.Select(model, [], [], []);

        var (up, conv) = (layers[0].Info.Layout, layers[1].Info.Layout);
        Assert.Equal((0, 1, 4), (up.InputDimension, up.OutputDimension, up.Inputs));
        Assert.Equal((1, 0, 3), (conv.InputDimension, conv.OutputDimension, conv.Inputs));
    }

    [Fact]
    public void Select_LeavesNoTensorBehind()
    {
        using var model = Models.Convolutional();

        Leaks.None(() =>
        {
            using var scope = NewDisposeScope();
            LayerMatching.Select(model, [], [LayerMatch.First], [new LayerRule("fc") { Sparsity = 0.5 }]);
            using var made = zeros(1);
        });
    }

    private static string Fault(Module model, LayerMatch[] include, LayerMatch[] exclude, params LayerRule[] rules) =>
        Assert.Throws<ArgumentException>(() => LayerMatching.Select(model, include, exclude, rules)).Message;

    private static IEnumerable<string> Pruned(IEnumerable<LayerDecision> layers) =>
        layers.Where(layer => layer.DenseReason is null).Select(layer => layer.Info.Name);

    private static string? ReasonOf(IEnumerable<LayerDecision> layers, string name) =>
        layers.Single(layer => layer.Info.Name == name).DenseReason;

    private static Module NativeModule(string kind) => kind switch
    {
        "lstm" => LSTM(8, 6, numLayers: 2),
        "gru" => GRU(8, 6, bidirectional: true),
        "lstm cell" => LSTMCell(8, 6),
        "attention" => MultiheadAttention(8, 2),
        "attention with bias_k" => MultiheadAttention(8, 2, add_bias_kv: true),
        "bilinear" => Bilinear(3, 4, 5),
        "transposed" => ConvTranspose2d(4, 6, 3),
        "transformer" => TransformerEncoder(TransformerEncoderLayer(8, 2, 16), 2),
        _ => TransformerEncoderLayer(8, 2, 16),
    };
}
