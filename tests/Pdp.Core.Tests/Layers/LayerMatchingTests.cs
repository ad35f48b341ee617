using Pdp.Layers;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static Pdp.Tests.Layers.Decisions;
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
        Assert.Equal(["classToken", "positions", "scale"], layers.Where(layer => layer.DenseReason is not null).Select(
            layer => layer.Info.Name));
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
        Assert.Contains("conv1.weight: frozen", Assert.Throws<ArgumentException>(() =>
            LayerMatching.Select(model, [], [], [new LayerRule("conv1") { Sparsity = 0.5 }])).Message, StringComparison.Ordinal);
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

        Assert.Equal(model.named_parameters().Where(pair =>
            pair.parameter.dim() >= 2 && !pair.name.Contains("bias", StringComparison.Ordinal)).Select(pair => pair.name), Pruned(layers));
        Assert.Equal(kind == "attention with bias_k" ? 2 : 0, layers.Count(layer => layer.DenseReason is not null));
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
        using var model = Sequential(
            ("up", ConvTranspose2d(16, 8, 3, groups: 4)), ("flat", Flatten()), ("conv", Conv1d(6, 4, 3, groups: 2)));

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
