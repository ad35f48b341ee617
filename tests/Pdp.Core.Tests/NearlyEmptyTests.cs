using Pdp.Allocation;
using Pdp.Masks;
using Pdp.Scheduling;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>An allocation that leaves next to nothing of a layer is told, with the cure, before training and after.</summary>
public sealed class NearlyEmptyTests
{
    private static readonly PdpOptions Options = new() { Epochs = 8, Sparsity = 0.9, Schedule = new ConstantSparsity() };

    [Fact]
    public void PlanAndReport_OfAFreshTransformerBlock_NameTheLayersAndTheCure()
    {
        using var model = FreshBlocks();
        using var pruner = new PdpPruner(model, Options);

        var plan = pruner.Plan();
        pruner.BeginEpoch(0);
        var report = pruner.Report();

        foreach (var warning in new[] { Assert.Single(plan.Warnings), Assert.Single(report.Warnings, warning => warning.StartsWith("Nearly empty", StringComparison.Ordinal)) })
        {
            Assert.Contains("'0.fc2.weight' keeps 1 of 4096 weights", warning, StringComparison.Ordinal);
            Assert.Contains("'2.fc2.weight' keeps 1 of 4096 weights and 1 more.", warning, StringComparison.Ordinal);
            Assert.Contains("MaximumLayerSparsity", warning, StringComparison.Ordinal);
        }

        Assert.Contains("warning: Nearly empty", plan.ToString(), StringComparison.Ordinal);
        Assert.Contains("warning: Nearly empty", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_WithEitherCure_HasNoWarningAndTheSameTotal()
    {
        using var model = FreshBlocks();
        foreach (var cured in new[] { Options with { MaximumLayerSparsity = 0.99 }, Options with { Allocation = new ErdosRenyiKernel() } })
        {
            using var pruner = new PdpPruner(model, cured);
            var plan = pruner.Plan();

            Assert.Empty(plan.Warnings);
            Assert.Equal(Math.Round(0.9 * plan.PrunableWeights), plan.Removed);
            Assert.All(plan.Layers, layer => Assert.InRange(layer.Sparsity, 0, 0.99));
        }
    }

    [Fact]
    public void Plan_WhereTheUserAskedForIt_HasNoWarning()
    {
        using var model = FreshBlocks();
        foreach (var asked in new[]
        {
            Options with { Rules = [new("*fc2.weight") { Sparsity = 0.9995 }], Sparsity = 0.5 },
            Options with { Rules = [new("*fc2.weight") { Strategy = NofM.Keep(1, of: 128) }], Sparsity = 0.5 },
            Options with { Rules = [new("*fc2.weight") { MaximumSparsity = 0.995 }] },
            Options with { Sparsity = 0.995 },
            Options with { Sparsity = 0.5 },
        })
        {
            using var pruner = new PdpPruner(model, asked);

            Assert.Empty(pruner.Plan().Warnings);
        }
    }

    [Fact]
    public void Plan_OfChannelsThatAreNearlyAllRemoved_Warns()
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(("small", Linear(4, 400, hasBias: false)), ("large", Linear(4, 400, hasBias: false)));
        Tensors.Fill(model.parameters().First(), Tensors.Normal(1, 1600, scale: 1e-3));
        Tensors.Fill(model.parameters().Last(), Tensors.Normal(2, 1600));
        using var pruner = new PdpPruner(model, Options with { Strategy = new Channel(), Sparsity = 0.6 });

        Assert.Contains("'small.weight' keeps 4 of 1600 weights", Assert.Single(pruner.Plan().Warnings), StringComparison.Ordinal);
    }

    /// <summary>Four blocks as TorchSharp initializes them: fc2, with four times the inputs, gets weights of half the size.</summary>
    private static Module<Tensor, Tensor> FreshBlocks()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var model = Sequential([.. Enumerable.Range(0, 4).Select(i => ($"{i}", (Module<Tensor, Tensor>)Sequential(
            ("qkv", Linear(32, 96)), ("proj", Linear(96, 32)), ("fc1", Linear(32, 128)), ("fc2", Linear(128, 32)))))]);
        using var _ = no_grad();
        foreach (var (name, weight) in model.named_parameters().Where(pair => pair.parameter.dim() > 1))
        {
            var inputs = name.Contains("fc2", StringComparison.Ordinal) ? 128 : 32;
            weight.copy_(rand(weight.shape, generator: generator).sub(tensor(0.5f)).mul(tensor((float)(2 / Math.Sqrt(inputs)))));
        }

        return model;
    }
}
