using System.Text.Json;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

public sealed class PdpPrunerTests
{
    [Fact]
    public void Loop_OfTheReadme_EndsWithExactlyTheSparsityAskedFor()
    {
        using var model = TestModels.Mlp();
        const int epochs = 8;
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.9, Epochs = epochs });

        for (var epoch = 0; epoch < epochs; epoch++)
        {
            for (var step = 0; step < 4; step++)
                TestModels.Train(model, pruner, epoch, seed: step);
        }

        var report = pruner.Commit();
        var zeros = model.named_parameters().Where(pair => pair.name.EndsWith("weight", StringComparison.Ordinal)).Sum(pair => TestModels.Zeros(pair.parameter));
        Assert.Equal((long)Math.Round(0.9 * 1664), report.Removed);
        Assert.Equal(report.Removed, zeros);
    }

    [Fact]
    public void Commit_OfAThousandRandomNetworksAndTargets_ZeroesAsManyWeightsAsPlanned()
    {
        var random = new Random(1);
        for (var trial = 0; trial < 1000; trial++)
        {
            using var scope = NewDisposeScope();
            using var model = RandomNetwork(random);
            var (options, expected) = RandomTarget(random, model);
            using var pruner = new PdpPruner(model, options);
            pruner.BeginEpoch(0);

            var plan = pruner.Plan();
            var report = pruner.Commit(random.Next(2) == 0 ? MaskForm.Folded : MaskForm.Raw);

            var zeros = model.named_parameters().ToDictionary(pair => pair.name, pair => TestModels.Zeros(pair.parameter));
            Assert.Equal(expected, report.Removed);
            Assert.All(plan.Layers, layer => Assert.Equal(layer.Removed, zeros[layer.Name]));
            Assert.All(report.Layers, layer => Assert.Equal((layer.Removed, 0L, 0L), (layer.Zeros, layer.Subnormals, layer.Violations)));
        }
    }

    [Fact]
    public void Commit_CalledAgain_ChangesNothing()
    {
        using var model = TestModels.Cnn();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity() });
        pruner.BeginEpoch(0);
        var first = pruner.Commit();
        var before = TestModels.Bytes(model);

        var second = pruner.Commit();

        Assert.Equal(before, TestModels.Bytes(model));
        Assert.Equal(first.Removed, second.Removed);
        Assert.True(pruner.IsCommitted);
    }

    [Fact]
    public void Commit_OfTheFoldedForm_IsWhatTheLastFoldedForwardSaw()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.6, Epochs = 1, Schedule = new ConstantSparsity() });
        pruner.BeginEpoch(0);
        using var _ = no_grad();
        var inputs = TestModels.Batch(1).Inputs;
        Tensor before;
        using (pruner.Mask(MaskForm.Folded))
            before = model.call(inputs);

        pruner.Commit();

        Assert.Equal(before.bytes.ToArray(), model.call(inputs).bytes.ToArray());
    }

    [Fact]
    public void Training_AfterCommit_KeepsTheZerosAndTheirGradientsAtZero()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var optimizer = optim.SGD(model.parameters().ToArray(), 0.1, momentum: 0.9, weight_decay: 0.1);
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity() });
        var weight = model.named_parameters().First().parameter;
        var (inputs, labels) = TestModels.Batch(1);
        pruner.BeginEpoch(0);
        for (var step = 0; step < 6; step++)
        {
            if (step == 3)
                pruner.Commit();
            optimizer.zero_grad();
            using (pruner.Mask())
                functional.cross_entropy(model.call(inputs), labels).backward();
            optimizer.step();
        }

        var revived = TestModels.Zeros(weight);
        var report = pruner.Commit();

        Assert.True(revived < report.Layers[0].Removed, "momentum moves zeros, or this test shows nothing");
        Assert.Equal(report.Layers[0].Removed, TestModels.Zeros(weight));
        Assert.DoesNotContain(report.Warnings, warning => warning.Contains("come back"));
    }

    [Fact]
    public void Report_OfCommittedWeightsThatCameBack_WarnsAndCountsViolations()
    {
        using var scope = NewDisposeScope();
        using var model = Linear(8, 4, hasBias: false);
        using var pruner = new PdpPruner(model, new PdpOptions { Strategy = NofM.Keep(2, of: 4), Epochs = 1, Schedule = new ConstantSparsity() });
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
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.9, Epochs = 1, Schedule = new ConstantSparsity(), Temperature = Temperature.Relative(1) });
        pruner.BeginEpoch(0);

        var soft = pruner.Commit();

        Assert.True(soft.Leak > 0.05);
        Assert.Contains(soft.Warnings, warning => warning.Contains("the network still relies on them"));
    }

    [Fact]
    public void Report_OfNearlyHardMasks_GivesNoWarning()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.9, Epochs = 1, Schedule = new ConstantSparsity(), Temperature = Temperature.Relative(1e-6) });
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
        Assert.Matches(@"first\.weight +unstructured +\S+ +0 +0\.00% +– +– +– +0\.00%", pruner.Report().ToString());
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

        Assert.Equal(["3 inputs are not divisible by 4", null, "excluded by the classifier"], plan.Layers.Select(layer => layer.DenseReason));
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

        Assert.Equal(("frozen (requires_grad is false): include it to prune it", 2), (pruner.Plan().Layers[0].DenseReason, pruner.Masks.Count));
        Assert.DoesNotContain(pruner.Report().Warnings, warning => warning.Contains("rozen", StringComparison.Ordinal));
        first.requires_grad = true;
        Assert.Equal("it was frozen when the pruner was made and trains now: make a new pruner to prune it", pruner.Plan().Layers[0].DenseReason);
        Assert.Contains(pruner.Report().Warnings, warning => warning.Contains("stay dense: first.weight", StringComparison.Ordinal));
    }

    [Fact]
    public void Commit_WithAFrozenWeightIncluded_PrunesIt()
    {
        using var model = TestModels.Mlp();
        model.parameters().First().requires_grad = false;
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity(), Include = ["*"] });

        TestModels.Train(model, pruner, 0, seed: 1);

        Assert.Equal(832, pruner.Commit().Removed);
        Assert.True(TestModels.Zeros(model.parameters().First()) > 0);
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
    public void Plan_WhenTheStrategyFixesEveryCount_IsFinalAtOnce()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Strategy = NofM.Keep(2, of: 4), Epochs = 4 });

        Assert.True(pruner.Plan().IsFinal);
    }

    [Fact]
    public void BeginEpoch_AtTheStart_FreezesTheAllocation()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 4, Schedule = new LinearRamp(1, 3) });
        pruner.BeginEpoch(0);
        Assert.False(pruner.Plan().IsFinal);
        pruner.BeginEpoch(1);
        var frozen = pruner.Plan().Layers.Select(layer => layer.Removed).ToArray();

        using (no_grad())
            model.parameters().First().mul_(100);

        Assert.True(pruner.Plan().IsFinal);
        Assert.Equal(frozen, pruner.Plan().Layers.Select(layer => layer.Removed));
    }

    [Fact]
    public void BeginEpoch_InFractions_FollowsTheRamp()
    {
        using var model = Linear(100, 10, hasBias: false);
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.8, Epochs = 2, Schedule = new LinearRamp(0, 1), MinimumLayerSparsity = 0.8 });

        var sparsities = new List<double>();
        foreach (var epoch in new[] { 0, 0.25, 0.5, 0.75, 1 })
        {
            pruner.BeginEpoch(epoch);
            pruner.Mask().Dispose();
            sparsities.Add(pruner.Sparsity);
        }

        Assert.Equal([0, 0.2, 0.4, 0.6, 0.8], sparsities);
    }

    [Fact]
    public void ReportMetric_AboveTheLevelForFiveEpochs_BeginsPruningAtTheNext()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Automatic(epochs: 100));
        var sparsities = new List<double>();

        foreach (var metric in new[] { 0.3, 0.6, 0.4, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6 })
        {
            pruner.BeginEpoch(sparsities.Count);
            pruner.Mask().Dispose();
            sparsities.Add(pruner.Sparsity);
            pruner.ReportMetric(metric);
        }

        Assert.Equal(0, sparsities[8]);
        Assert.Equal(Math.Floor(0.5 * 0.5 * 1664) / 1664, sparsities[9], 0.002);
    }

    [Fact]
    public void ReportMetric_NeverAboveTheLevel_BeginsInTimeToEndWithinTheRun()
    {
        using var model = TestModels.Mlp();
        // The last start in time, 5.5, lies between two calls of BeginEpoch.
        using var pruner = new PdpPruner(model, Automatic(epochs: 8) with { Schedule = new LinearRamp(1, 3.5) });

        for (var epoch = 0; epoch < 8; epoch++)
        {
            pruner.BeginEpoch(epoch);
            pruner.Mask().Dispose();
            pruner.ReportMetric(0);
        }

        pruner.BeginEpoch(8);
        Assert.Equal(832, pruner.Commit().Removed);
    }

    [Fact]
    public void Paper_IsThePapersExactSetting()
    {
        var options = PdpOptions.Paper(0.855);

        var ramp = Assert.IsType<EpsilonRamp>(options.Schedule);
        Assert.Equal((16, 0.015, 100), (ramp.WarmupEpochs, ramp.Epsilon, options.Epochs));
        Assert.Equal((false, 1e-4, 1e-4), (options.Temperature!.IsRelative, options.Temperature.From, options.Temperature.To));
        Assert.IsType<GlobalMagnitude>(options.Allocation);
        Assert.Equal(83, Enumerable.Range(0, 100).First(epoch => ramp.Fraction(epoch) >= 1));
    }

    [Fact]
    public void Schedule_IsByDefaultACubicRampUntilAQuarterOfTheRun()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 16 });

        Assert.Equal(new CubicRamp(2, 4), pruner.Schedule);
    }

    [Fact]
    public void Temperature_IsByDefaultAnnealedUntilNineTenthsOfTheRun_ForChannelsNearlyZero()
    {
        var options = new PdpOptions { Sparsity = 0.5, Epochs = 16 };

        Assert.Equal(Temperature.Relative(1).AnnealedTo(0.015, 2, 14.4), options.EffectiveTemperature);
        Assert.Equal(Temperature.Relative(1).AnnealedTo(0.015, 14, 15.6), (options with { Schedule = new OneShot { Epoch = 14 } }).EffectiveTemperature);
        Assert.Equal(Temperature.Relative(1e-6), (options with { Strategy = new PerChannel() }).EffectiveTemperature);
    }

    [Fact]
    public void Attaching_LeavesParametersNamesAndOptimizerAsTheyAre()
    {
        using var model = TestModels.Mlp();
        var (names, handles, bytes) = (Names(model), model.parameters().Select(parameter => parameter.Handle).ToArray(), TestModels.Bytes(model));

        using (var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity() }))
        {
            pruner.BeginEpoch(0);
            pruner.Mask().Dispose();
        }

        Assert.Equal(names, Names(model));
        Assert.Equal(handles, model.parameters().Select(parameter => parameter.Handle));
        Assert.Equal(bytes, TestModels.Bytes(model));
    }

    [Fact]
    public void SecondChance_OfAWeightJustBelowTheThreshold_BringsItBack()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(4, 1, hasBias: false);
        using var pruner = new PdpPruner(layer, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity(), Temperature = Temperature.Relative(0.02) });
        using (no_grad())
            layer.weight!.copy_(tensor(new[] { 1f, 0.95f, 0.9f, 0.1f }).view(1, 4));
        var before = layer.weight!.detach().clone();
        pruner.BeginEpoch(0);

        using (pruner.Mask())
            layer.call(tensor(new[] { 0f, 0f, -1f, -1f }).view(1, 4)).sum().backward();
        TestModels.Step(layer, 0.02);

        Assert.False(pruner.Masks[0].Kept(before)[0, 2].item<bool>());
        Assert.True(pruner.Masks[0].Kept(layer.weight)[0, 2].item<bool>());
        Assert.Equal(0.1f, layer.weight[0, 3].item<float>());
    }

    private static PdpOptions Automatic(double epochs) => new()
    {
        Sparsity = 0.5,
        Epochs = epochs,
        Schedule = new LinearRamp(1, 3),
        AutomaticStart = new AutomaticStart { Level = 0.5 },
    };

    private static string[] Names(Module model) => [.. model.named_parameters().Select(pair => pair.name)];

    private static Sequential RandomNetwork(Random random)
    {
        var channels = random.Next(1, 5) * 4;
        var wide = random.Next(1, 5) * 4;
        return random.Next(3) switch
        {
            0 => Sequential(("conv", Conv2d(channels, wide, random.Next(1, 4))), ("fc", Linear(wide, random.Next(1, 30)))),
            1 => Sequential(("up", ConvTranspose2d(channels, wide, 2)), ("fc", Linear(wide, random.Next(1, 30), hasBias: false))),
            _ => Sequential(("fc1", Linear(channels, wide)), ("fc2", Linear(wide, wide)), ("fc3", Linear(wide, random.Next(1, 9)))),
        };
    }

    private static (PdpOptions Options, long Removed) RandomTarget(Random random, Module model)
    {
        var options = new PdpOptions { Epochs = 1, Schedule = new ConstantSparsity() };
        var weights = model.named_parameters().Where(pair => pair.parameter.dim() >= 2).Sum(pair => pair.parameter.numel());
        if (random.Next(4) == 0)
        {
            var pattern = NofM.Keep(random.Next(1, 4), of: 4);
            return (options with { Strategy = pattern }, weights / 4 * (4 - pattern.Kept));
        }

        var sparsity = random.NextDouble() * 0.95;
        ISparsityAllocation allocation = random.Next(3) switch { 0 => new GlobalMagnitude(), 1 => new UniformSparsity(), _ => new ErdosRenyiKernel() };
        return (options with { Sparsity = sparsity, Allocation = allocation }, (long)Math.Round(sparsity * weights, MidpointRounding.AwayFromZero));
    }
}
