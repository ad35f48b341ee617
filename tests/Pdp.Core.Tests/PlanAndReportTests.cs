using System.Text.Json;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

public sealed class PlanAndReportTests
{
    [Fact]
    public void Report_OfCommittedWeightsThatCameBack_WarnsAndCountsViolations()
    {
        using var scope = NewDisposeScope();
        using var model = Linear(8, 4, hasBias: false);
        using var pruner = new PdpPruner(
            model, new PdpOptions { Strategy = NofM.Keep(2, of: 4), Epochs = 1, Schedule = new ConstantSparsity() });
        pruner.BeginEpoch(0);
        pruner.Commit();
        using (no_grad())
            model.weight!.fill_(1);

        var report = pruner.Report();

        Assert.Equal(8, report.Layers[0].Violations);
        Assert.Contains(report.Warnings, warning => warning.Contains("call Commit() again"));
    }

    [Fact]
    public void Report_OfSoftMasksAtTheEndOfTheSchedule_WarnsOfTheLeak()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(
            model, new PdpOptions { Sparsity = 0.9, Epochs = 1, Schedule = new ConstantSparsity(), Temperature = Temperature.Relative(1) });
        pruner.BeginEpoch(0);

        var soft = pruner.Commit();

        Assert.True(soft.Leak > 0.05);
        Assert.Contains(soft.Warnings, warning => warning.Contains("the network still relies on them"));
    }

    [Fact]
    public void Report_OfNearlyHardMasks_GivesNoWarning()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(
            model,
            new PdpOptions { Sparsity = 0.9, Epochs = 1, Schedule = new ConstantSparsity(), Temperature = Temperature.Relative(1e-6) });
        pruner.BeginEpoch(0);

        var report = pruner.Commit();

        Assert.InRange(report.Leak, 0, 1e-3);
        Assert.Empty(report.Warnings);
        Assert.All(report.Layers, layer => Assert.Equal(1e6, layer.Sharpness!.Value, 10.0));
    }

    [Fact]
    public void Report_OfALayerThatLosesNothing_HasNoThreshold()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Sparsity = 0.25,
            Epochs = 1,
            Schedule = new ConstantSparsity(),
            Rules = [new LayerRule("first") { Sparsity = 0 }],
        });
        pruner.BeginEpoch(0);

        var first = pruner.Report().Layers.Single(layer => layer.Name == "first.weight");

        Assert.Equal((null, null, null), (first.Threshold, first.Temperature, first.Sharpness));
        Assert.Matches(@"first\.weight +\S+ +0 +0\.00% +– +– +– +0\.00%", pruner.Report().ToString());
    }

    [Fact]
    public void Report_CountsOverPrunableWeightsAndOverAllParameters()
    {
        using var model = Sequential(("fc", Linear(20, 10)), ("norm", BatchNorm1d(10)));
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.25, Epochs = 1, Schedule = new ConstantSparsity() });
        pruner.BeginEpoch(0);

        var report = pruner.Commit();

        Assert.Equal((200L, 230L, 50L), (report.PrunableWeights, report.ModelParameters, report.Removed));
        Assert.Equal(50 / 230.0, report.ModelSparsity);
    }

    [Fact]
    public void Plan_BeforeTraining_TellsRuleStrategyCountsAndWhyALayerStaysDense()
    {
        using var model = TestModels.Cnn();
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Sparsity = 0.5,
            Epochs = 4,
            Exclude = [LayerMatch.Classifier],
            Rules = [new LayerRule("conv1") { Strategy = NofM.Keep(2, of: 4) }, new LayerRule("conv2") { MaximumSparsity = 0.6 }],
        });

        var plan = pruner.Plan();

        Assert.Equal(["3 inputs are not divisible by 4", null, "excluded by the classifier"], plan.Layers.Select(
            layer => layer.DenseReason));
        Assert.Equal((288L, 576L), (plan.Layers[1].Removed, plan.PrunableWeights));
        Assert.Contains("conv2.weight", plan.ToString());
        Assert.Equal(3, JsonDocument.Parse(plan.ToJson()).RootElement.GetProperty("layers").GetArrayLength());
    }

    [Fact]
    public void PlanAndReport_OfAFrozenWeight_SayWhatBecomesOfItWhenItTrains()
    {
        using var model = TestModels.Mlp();
        var first = model.parameters().First();
        first.requires_grad = false;
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity() });
        pruner.BeginEpoch(0);

        Assert.Equal(
            ("frozen (requires_grad is false): include it to prune it", 2), (pruner.Plan().Layers[0].DenseReason, pruner.Masks.Count));
        Assert.DoesNotContain(pruner.Report().Warnings, warning => warning.Contains("rozen", StringComparison.Ordinal));
        first.requires_grad = true;
        Assert.Equal(
            "it was frozen when the pruner was made and trains now: make a new pruner to prune it", pruner.Plan().Layers[0].DenseReason);
        Assert.Contains(pruner.Report().Warnings, warning => warning.Contains("stay dense: first.weight", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_WithMixedStrategies_MeetsTheWholeTargetExactly()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Sparsity = 0.7,
            Epochs = 4,
            Rules = [new LayerRule("second") { Strategy = NofM.Keep(1, of: 4) }, new LayerRule("last") { Sparsity = 0.1 }],
        });

        var plan = pruner.Plan();

        Assert.Equal([1165 - 768 - 12, 768, 12], plan.Layers.Select(layer => layer.Removed));
        Assert.Equal((long)Math.Round(0.7 * 1664), plan.Removed);
    }

    [Fact]
    public void Plan_WhenTheAllocationLooksAtShapesAlone_IsFinalAtOnce()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new() { Epochs = 1, Sparsity = 0.5, Allocation = new UniformSparsity() });

        Assert.True(pruner.Plan().IsFinal);
    }

    [Fact]
    public void Prune_ByATableWhereTheStrategyFixesEveryCount_SaysThatItHasNoUse()
    {
        using var model = TestModels.Mlp();
        var table = new SparsityTable(model.named_parameters().Where(pair => pair.parameter.dim() > 1)
            .ToDictionary(pair => pair.name, _ => 0.9));

        var fault = Assert.Throws<ArgumentException>(
            () => new PdpPruner(model, new() { Epochs = 1, Strategy = NofM.Keep(2, of: 4), Allocation = table }));

        Assert.Contains("SparsityTable has nothing to divide", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_WhenTheStrategyFixesEveryCount_IsFinalAtOnce()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Strategy = NofM.Keep(2, of: 4), Epochs = 4 });

        Assert.True(pruner.Plan().IsFinal);
    }
}
