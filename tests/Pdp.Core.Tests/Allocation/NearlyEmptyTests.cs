using System.Globalization;
using System.Text.RegularExpressions;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Allocation;

/// <summary>An allocation that leaves next to nothing of a layer is told, with the cure, before training and after.</summary>
public sealed class NearlyEmptyTests
{
    private static readonly PdpOptions Options = new()
    {
        Epochs = 8,
        Sparsity = 0.9,
        Schedule = new ConstantSparsity(),
        Allocation = new GlobalMagnitude { DensityFloor = 0 },
    };

    [Fact]
    public void PlanAndReport_OfAFreshTransformerBlock_NameTheLayersAndTheCure()
    {
        using var model = FreshBlocks();
        using var pruner = new PdpPruner(model, Options);

        var plan = pruner.Plan();
        pruner.BeginEpoch(0);
        var report = pruner.Report();

        var reported = Assert.Single(report.Warnings, warning => warning.StartsWith("Nearly empty", StringComparison.Ordinal));
        foreach (var warning in new[] { Assert.Single(plan.Warnings), reported })
        {
            Assert.Contains("'0.fc2.weight' keeps 1 of 4096 weights", warning, StringComparison.Ordinal);
            Assert.Contains("'2.fc2.weight' keeps 1 of 4096 weights and 1 more.", warning, StringComparison.Ordinal);
            Assert.Contains("MaximumLayerSparsity", warning, StringComparison.Ordinal);
        }

        Assert.Contains("warning: Nearly empty", plan.ToString(), StringComparison.Ordinal);
        Assert.Contains("warning: Nearly empty", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_WithAnyCure_HasNoWarningAndTheSameTotal()
    {
        using var model = FreshBlocks();
        foreach (var cured in new[]
        {
            Options with { MaximumLayerSparsity = 0.99 },
            Options with { Allocation = new ErdosRenyiKernel() },
            Options with { Allocation = new GlobalMagnitude() },
        })
        {
            using var pruner = new PdpPruner(model, cured);
            var plan = pruner.Plan();

            Assert.Empty(plan.Warnings);
            Assert.Equal(Math.Round(0.9 * plan.PrunableWeights), plan.Removed);
            Assert.All(plan.Layers, layer => Assert.InRange(layer.Sparsity, 0, 0.99));
        }
    }

    /// <summary>At 98 % the floor leaves a layer 0.4 %: little, but no less than the user asked for.</summary>
    [Fact]
    public void Plan_AtTheFloorOfAHighSparsity_HasNoWarning()
    {
        using var model = FreshBlocks();
        using var pruner = new PdpPruner(model, Options with { Sparsity = 0.98, Allocation = new GlobalMagnitude() });

        var plan = pruner.Plan();

        Assert.Equal(4096 - 17, plan.Layers.Max(layer => layer.Removed));
        Assert.Empty(plan.Warnings);
    }

    /// <summary>What rules fix is not part of the average that the floor is a share of: the others keep 4 %, and a fc2 0.8 %.</summary>
    [Fact]
    public void Plan_AtTheFloorBesideFixedLayers_HasNoWarning()
    {
        using var model = FreshBlocks();
        using var pruner = new PdpPruner(model, Options with
        {
            Sparsity = ((0.96 * 4 * (3072 + 3072 + 4096)) + (0.1 * 4 * 4096)) / (4 * (3072 + 3072 + 4096 + 4096)),
            Rules = [new("*fc1.weight") { Sparsity = 0.1 }],
            Allocation = new GlobalMagnitude(),
        });

        var plan = pruner.Plan();

        Assert.InRange(plan.Layers.Max(layer => layer.Sparsity), 0.9915, 0.9925);
        Assert.Empty(plan.Warnings);
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
        using var pruner = new PdpPruner(model, Options with { Strategy = new PerChannel(), Sparsity = 0.6 });

        Assert.Contains("'small.weight' keeps 4 of 1600 weights", Assert.Single(pruner.Plan().Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(48, 0.5)]
    [InlineData(768, 0.9)]
    [InlineData(900, 0.5)]
    public void PlanAndReport_OfASmallLayerWithOneWeightLeft_WarnWithABoundThatHelps(int weights, double sparsity)
    {
        using var model = SmallAndLarge(weights, inputs: 1);
        var options = Options with { Sparsity = sparsity };
        using var pruner = new PdpPruner(model, options);
        var warning = Assert.Single(pruner.Plan().Warnings);
        pruner.BeginEpoch(0);

        Assert.Contains($"'small.weight' keeps 1 of {weights} weights.", warning, StringComparison.Ordinal);
        Assert.Contains(warning, pruner.Report().Warnings);
        RequireCure(model, options, warning);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(64)]
    public void Plan_OfALayerWithOneChannelLeft_WarnsWithABoundThatHelps(int channels)
    {
        using var model = SmallAndLarge(channels, inputs: 48);
        var options = Options with { Sparsity = 0.7, Strategy = new PerChannel() };
        using var pruner = new PdpPruner(model, options);

        var warning = Assert.Single(pruner.Plan().Warnings);

        Assert.Contains(
            $"'small.weight' keeps 48 of {channels * 48} weights (1 of {channels} channels).", warning, StringComparison.Ordinal);
        RequireCure(model, options, warning);
    }

    [Fact]
    public void Plan_WhereAnotherFewWouldBeLeftOrARuleAsks_HasNoWarning()
    {
        using var model = SmallAndLarge(64, inputs: 1);
        foreach (var asked in new[]
        {
            Options with { Sparsity = 0.9 },
            Options with { Sparsity = 0.98, Allocation = new UniformSparsity() },
            Options with { Sparsity = 0.5, Rules = [new("small") { MaximumSparsity = 0.985 }] },
            Options with { Sparsity = 0.5, Rules = [new("small") { Sparsity = 0.985 }] },
        })
        {
            using var pruner = new PdpPruner(model, asked);

            Assert.Equal(63, pruner.Plan().Layers[0].Removed);
            Assert.Empty(pruner.Plan().Warnings);
        }
    }

    private static void RequireCure(Module<Tensor, Tensor> model, PdpOptions options, string warning)
    {
        var bound = Regex.Match(warning, "MaximumLayerSparsity, for example to ([0-9.]+),").Groups[1].Value;
        using var pruner = new PdpPruner(model, options with { MaximumLayerSparsity = double.Parse(bound, CultureInfo.InvariantCulture) });
        Assert.Empty(pruner.Plan().Warnings);
    }

    /// <summary>Two layers, one with weights that are a thousandth of the other's.</summary>
    private static Module<Tensor, Tensor> SmallAndLarge(int outputs, int inputs)
    {
        using var scope = NewDisposeScope();
        var model = Sequential(("small", Linear(inputs, outputs, hasBias: false)), ("large", Linear(inputs, 4000, hasBias: false)));
        Tensors.Fill(model.parameters().First(), Tensors.Normal(1, outputs * inputs, scale: 1e-3));
        Tensors.Fill(model.parameters().Last(), Tensors.Normal(2, 4000 * inputs));
        return model;
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
