using CsCheck;
using Pdp.Channels.Cutting;
using Pdp.Tests.Support;
using static Pdp.Tests.Allocation.MacBudgetCases;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

public sealed class MacBudgetPrunerTests
{
    [Fact]
    public void Allocate_LeavesNoTensorBehind()
    {
        var contest = Contest.Of(nameof(BottleneckNet), 1, isCoarse: false, 0.5);
        using var scope = NewDisposeScope();
        var (budget, layers) = (contest.Budget, contest.Layers());
        var remove = (long)Math.Round(budget.FixedSparsity(layers)!.Value * layers.Sum(layer => layer.Layout.Elements));

        Leaks.None(() => budget.Allocate(layers, remove));
    }

    [Fact]
    public void Prune_WithABudget_LeavesAModelWithThatShareOfMacs()
    {
        var zoo = Zoo.Get(nameof(BottleneckNet));
        using var model = zoo.Make();
        using var example = zoo.Batch(size: 1);
        var (map, macs) = Probed[nameof(BottleneckNet)];
        using var pruner = new PdpPruner(model, OptionsFor(new MacBudget(0.5, map, macs), map));
        var plan = pruner.Plan();
        pruner.BeginEpoch(0);

        var report = pruner.Commit();

        using var surgery = Surgery.Keep(model, [.. map.Groups.Select(group => (group, Loud(model, group)))]);
        var left = MacCount.Of(model, example).Total;
        Assert.Equal((macs.Total, left), (report.Size!.Before.Macs!.Value, report.Size.After.Macs!.Value));
        Assert.Equal(plan.Size, report.Size);
        Assert.Equal(model.parameters().Sum(parameter => parameter.numel()), report.Size.After.Parameters);
        Assert.Equal(4 * report.Size.Before.Parameters, report.Size.Before.Bytes);
        Assert.InRange(left / (double)macs.Total, 0.45, 0.55);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(8, true)]
    public void Plan_WithABudgetThatRoundingMisses_WarnsWithTheNumbers(int roundTo, bool isWarned)
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var (map, macs) = Probed[nameof(PlainCnn)];
        using var pruner = new PdpPruner(
            model, OptionsFor(new MacBudget(0.1, map, macs), map) with { Strategy = new PerChannel { RoundTo = roundTo } });

        var plan = pruner.Plan();

        var removed = plan.Size!.Before.Macs - plan.Size.After.Macs;
        Assert.Equal(isWarned ? 1 : 0, plan.Warnings.Count(
            warning => warning.Contains($"removes {removed:N0} of {macs.Total:N0} MACs", StringComparison.Ordinal)));
        Assert.Equal(isWarned, plan.Warnings.Any(warning => warning.Contains("and not 10.00%", StringComparison.Ordinal)));
    }

    /// <summary>A tenth of the channels rounds down to none, where a step of four meets the minimum; the budget takes others.</summary>
    [Fact]
    public void Pruner_WithAMinimumAndSteps_RoundsTheMinimumUp()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using (no_grad())
        {
            var weights = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
            weights["conv1.weight"].narrow(0, 0, 4).mul_(0.01);
            weights["conv2.weight"].narrow(0, 0, 8).mul_(0.01);
            weights["linear1.weight"].fill_(1);
        }

        var (map, macs) = Probed[nameof(PlainCnn)];
        var options = OptionsFor(new MacBudget(0.57, map, macs), map) with
        {
            Strategy = new PerChannel { RoundTo = 4 },
            Rules = [new("linear1.weight") { MinimumSparsity = 0.1 }],
        };

        using var pruner = new PdpPruner(model, options);

        Assert.Equal(0.2, pruner.Plan().Layers.Single(layer => layer.Name == "linear1.weight").Sparsity);
    }

    /// <summary>
    /// Where no multiple is within a group's bounds, its minimum gives way, also in the least total that is possible: a tenth of 8 channels
    /// is one, and of those either none is removed or all.
    /// </summary>
    [Fact]
    public void Pruner_WithAMinimumThatNoStepMeets_LetsItGiveWay()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var (map, macs) = Probed[nameof(PlainCnn)];
        var first = map.Groups[0];
        using var pruner = new PdpPruner(model, OptionsFor(new MacBudget(0.001, map, macs), map) with
        {
            Strategy = new PerChannel { RoundTo = (int)first.Channels },
            Rules = [new(first.Name) { MinimumSparsity = 0.1 }],
        });

        Assert.Equal(0, pruner.Plan().Layers.Single(layer => layer.Name == first.Name).Sparsity);
    }

    /// <summary>A head of eight channels is a multiple of eight by itself.</summary>
    [Fact]
    public void Plan_OfHeadsInSteps_CountsTheirChannels()
    {
        var zoo = ZooCases.Get("FusedHeads");
        using var model = zoo.Model.Make();
        using var example = zoo.Input(0, ScalarType.Float32);
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = 1,
            Sparsity = 0.5,
            Strategy = new PerChannel { RoundTo = 8 },
            Channels = ChannelMap.Find(model, example),
            Allocation = new UniformSparsity(),
            Schedule = new OneShot { Epoch = 0 },
        });

        Assert.Equal(
            [("stem.weight", 0.5), ("qkv.weight", 0.5), ("proj.weight", 0.5), ("head.weight", 0)],
            pruner.Plan().Layers.Select(layer => (layer.Name, layer.Sparsity)));
    }

    [Fact]
    public void Pruner_WithARuleThatFixesAGroup_SaysWhatToDo()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var (map, macs) = Probed[nameof(PlainCnn)];
        var options = OptionsFor(new MacBudget(0.5, map, macs), map) with { Rules = [new("conv1.weight") { Sparsity = 0.5 }] };

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));

        Assert.Contains("fixes the sparsity of 'conv1.weight'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pruner_WithMacsAndNoChannels_SaysWhatIsMissing()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var options = new PdpOptions { Epochs = 1, Sparsity = 0.5, Strategy = new PerChannel(), Macs = Probed[nameof(PlainCnn)].Macs };

        var error = Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));

        Assert.Contains("set Channels, too, or leave Macs unset", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pruner_WithTheMacsOfAnotherModel_Throws()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var options = OptionsFor(new GlobalMagnitude(), Probed[nameof(PlainCnn)].Map) with
        {
            Sparsity = 0.5,
            Macs = Probed[nameof(UNet)].Macs,
        };

        Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));
    }

    [Fact]
    public void State_OfAPrunerWithABudget_SaysTheFractionAndTheMacs()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var (map, macs) = Probed[nameof(PlainCnn)];
        using var pruner = new PdpPruner(model, OptionsFor(new MacBudget(0.25, map, macs), map));

        var words = pruner.GetState().Settings["Allocation"];

        Assert.Equal(FormattableString.Invariant($"MacBudget of 0.25 of {macs.Total} MACs"), words);
    }

    /// <summary>The channels of a group whose first filters are not zero.</summary>
    private static IReadOnlyList<long> Loud(nn.Module model, ChannelGroup group)
    {
        using var scope = NewDisposeScope();
        var slice = group.Of(ChannelRole.Filter).First();
        var weight = model.get_parameter(slice.Name)!.detach().movedim([slice.Dimension], [0]);
        var sums = weight.abs().reshape(group.Channels, -1).sum(1).Values();
        return [.. sums.Index().Where(sum => sum.Item > 0).Select(sum => (long)sum.Index)];
    }
}
