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
        var zeros = model.named_parameters()
            .Where(pair => pair.name.EndsWith("weight", StringComparison.Ordinal)).Sum(pair => TestModels.Zeros(pair.parameter));
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
    public void Commit_WithAFrozenWeightIncluded_PrunesIt()
    {
        using var model = TestModels.Mlp();
        model.parameters().First().requires_grad = false;
        using var pruner = new PdpPruner(
            model, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity(), Include = ["*"] });

        TestModels.Train(model, pruner, 0, seed: 1);

        Assert.Equal(832, pruner.Commit().Removed);
        Assert.True(TestModels.Zeros(model.parameters().First()) > 0);
    }

    [Fact]
    public void Attaching_LeavesParametersAndTheirNamesAsTheyAre()
    {
        using var model = TestModels.Mlp();
        var (names, handles, bytes) = (
            Names(model), model.parameters().Select(parameter => parameter.Handle).ToArray(), TestModels.Bytes(model));

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
        using var pruner = new PdpPruner(
            layer,
            new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity(), Temperature = Temperature.Relative(0.02) });
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
        ISparsityAllocation allocation = random.Next(4) switch
        {
            0 => new GlobalMagnitude(),
            1 => new UniformSparsity(),
            2 => new LayerAdaptiveMagnitude(),
            _ => new ErdosRenyiKernel(),
        };
        return (options with { Sparsity = sparsity, Allocation = allocation }, (long)Math.Round(
            sparsity * weights, MidpointRounding.AwayFromZero));
    }
}
