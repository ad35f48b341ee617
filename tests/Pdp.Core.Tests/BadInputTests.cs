using Pdp.Tests.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>Each bad input is an error that names the thing and the remedy.</summary>
public sealed class BadInputTests
{
    private static readonly PdpOptions Options = new() { Sparsity = 0.5, Epochs = 4 };

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.0)]
    [InlineData(double.NaN)]
    public void Sparsity_OutsideItsRange_IsNamedWithValueAndRange(double sparsity)
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => Options with { Sparsity = sparsity });

        Assert.Equal(("Sparsity", sparsity), (fault.ParamName, fault.ActualValue));
        Assert.Contains("[0, 1)", fault.Message);
    }

    [Fact]
    public void Model_WithoutWeights_HasNothingToPrune()
    {
        using var model = Sequential(("relu", ReLU()), ("norm", BatchNorm1d(4)));

        Assert.Contains("nothing to prune", Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options)).Message);
    }

    [Fact]
    public void Model_WithParametersOfItsOwnAlone_TellsToIncludeThem()
    {
        using var model = new Models.Custom(("tokens", new Parameter(ones(4, 4))));

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options));

        Assert.Contains("tokens: a parameter of 'Custom', not the weight of a layer: include it", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ConstantMask_OfMinusInfinity_StaysDenseAndIsNamedWhereItIsIncluded()
    {
        using var layer = Linear(4, 4);
        using var model = new Models.Custom(("causal",
            new Parameter(full([4, 4], double.NegativeInfinity, dtype: ScalarType.Float32), requires_grad: false)), ("fc", layer.weight!));
        using var pruner = new PdpPruner(model, Options with { Include = ["fc"] });

        Assert.Single(pruner.Masks);
        Assert.Contains("'causal' holds NaN or infinity", Assert.Throws<InvalidOperationException>(
            () => new PdpPruner(model, Options with { Include = ["*"] })).Message, StringComparison.Ordinal);
        Assert.Contains("exclude it", Assert.Throws<InvalidOperationException>(() => new PdpPruner(model, Options with { Include = ["*"] }))
            .Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Model_WithEverythingExcluded_TellsWhyEachStaysDense()
    {
        using var model = TestModels.Mlp();

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options with { Exclude = ["*"] }));

        Assert.Contains("first.weight: excluded by '*'", fault.Message);
    }

    [Fact]
    public void Pattern_ThatMatchesNothing_ListsTheCandidates()
    {
        using var model = TestModels.Mlp();

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options with { Rules = [new LayerRule("layer4.*")] }));

        Assert.Contains("No weight matches 'layer4.*'. The candidates are first.weight, second.weight, last.weight.", fault.Message);
    }

    [Fact]
    public void Rule_ForDenseWeightsAlone_TellsWhyTheyAreDense()
    {
        using var model = Sequential(("table", Embedding(10, 8)), ("fc", Linear(8, 4)));

        var fault = Assert.Throws<ArgumentException>(
            () => new PdpPruner(model, Options with { Rules = [new LayerRule("table") { Sparsity = 0.5 }] }));

        Assert.Contains("table.weight: embeddings stay dense unless included", fault.Message);
    }

    [Fact]
    public void Schedule_ThatEndsAfterTheRun_TellsBothEpochs()
    {
        using var model = TestModels.Mlp();

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options with { Schedule = new EpsilonRamp() }));

        Assert.Contains("at epoch 82.6667, after the run of 4 epochs", fault.Message);
    }

    [Fact]
    public void Sparsity_LeftUnset_IsAskedFor()
    {
        using var model = TestModels.Mlp();

        Assert.Contains("set PdpOptions.Sparsity",
            Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options with { Sparsity = null })).Message);
    }

    [Fact]
    public void Sparsity_ThatContradictsThePattern_TellsBothCounts()
    {
        using var model = TestModels.Mlp();

        var fault =
            Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options with { Sparsity = 0.9, Strategy = NofM.Keep(2, of: 4) }));

        Assert.Contains("asks for 1498 of 1664 weights to be removed, but strategies, rules and tables fix 832", fault.Message);
    }

    [Fact]
    public void Sparsity_OfARuleThatContradictsItsPattern_IsRefused()
    {
        using var model = TestModels.Mlp();
        var rule = new LayerRule("second") { Strategy = NofM.Keep(2, of: 4), Sparsity = 0.9 };

        Assert.Contains("2:4 removes exactly 0.5",
            Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options with { Rules = [rule] })).Message);
    }

    [Fact]
    public void Table_ThatLacksALayer_NamesIt()
    {
        using var model = TestModels.Mlp();
        var table = new SparsityTable(new Dictionary<string, double> { ["first.weight"] = 0.5, ["second.weight"] = 0.5 });

        Assert.Contains("lacks last.weight",
            Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options with { Sparsity = null, Allocation = table })).Message);
    }

    [Fact]
    public void Weights_ThatAreNotFinite_AreNamedWhenThePrunerIsMade()
    {
        using var model = TestModels.Mlp();
        using (var scope = NewDisposeScope())
        using (no_grad())
            model.named_parameters().Single(pair => pair.name == "last.weight").parameter[0, 0] = float.NaN;

        Assert.Contains("'last.weight' holds NaN", Assert.Throws<InvalidOperationException>(() => new PdpPruner(model, Options)).Message);
    }

    [Fact]
    public void MaskForm_ThatIsNone_IsRefused()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);

        Assert.Throws<ArgumentOutOfRangeException>(() => pruner.Mask((MaskForm)7));
    }
}
