using CsCheck;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Saving;

/// <summary>The targets of a state: those that a plan can have given are taken, and those that contradict the settings refused.</summary>
public sealed class TargetsOfStatesTests
{
    private const string First = "first.weight";

    private static readonly PdpOptions Options = new() { Epochs = 4, Schedule = new OneShot { Epoch = 0 } };

    /// <summary>Plans of many kinds, of several networks.</summary>
    private static readonly Gen<(string Net, bool IsMapped, PdpOptions Options, double Budget)> Plans =
        from net in OneOf(nameof(PlainCnn), nameof(BottleneckNet), nameof(VggLike))
        from isMapped in Gen.Bool
        from strategy in OneOf<IMaskStrategy>(
            new PerChannel(), new PerChannel { RoundTo = 3 }, new PerChannel { RoundTo = 8 }, new Unstructured())
        from allocation in OneOf<ISparsityAllocation>(
            new GlobalMagnitude(), new LayerAdaptiveMagnitude(), new UniformSparsity(), new ErdosRenyiKernel())
        from sparsity in Gen.Double[0.05, 0.8]
        from minimum in OneOf(0, 0.05)
        from maximum in OneOf(1, 0.9)
        from budget in Gen.Double[-0.7, 0.8]
        let options = Options with { Strategy = strategy, Allocation = allocation, Sparsity = sparsity }
        select (net, isMapped, options with { MinimumLayerSparsity = minimum, MaximumLayerSparsity = maximum }, budget);

    public static TheoryData<string, PdpOptions, Func<string, long, long>> Contradictions => new()
    {
        { "settings make it 2", Options with { Strategy = NofM.Keep(2, of: 4) }, (_, _) => 3 },
        { "settings make it 2", Options with { Strategy = NofM.Keep(2, of: 4) }, (_, _) => 1 },
        { "settings make it 2", Options with { Strategy = NofM.Keep(2, of: 4) }, (name, target) => name == First ? 0 : target },
        { "settings make it 128", Options with { Rules = [new("*") { Sparsity = 0.25 }] }, (_, target) => 3 * target },
        { "settings make it 128", Options with { Sparsity = 0.5, Rules = [new(First) { Sparsity = 0.25 }] }, (name, target) =>
            name == First ? target + 1 : target },
        { "settings ask for 832", Options with { Sparsity = 0.5 }, (_, _) => 0 },
        { "settings ask for 832", Options with { Sparsity = 0.5 }, (name, target) => name == First ? target + 1 : target },
        { "settings ask for 832", Options with { Sparsity = 0.5 }, (name, target) => name == First ? target - 1 : target },
        { "settings ask for 704", Options with { Sparsity = 0.5, Rules = [new(First) { Sparsity = 0.25 }] }, (name, target) =>
            name == First ? target : target + 1 },
        { "settings make it 256", Options with { Sparsity = 0.5, Allocation = new UniformSparsity() }, Shifted },
        { "settings make it 128", Options with { Allocation = new SparsityTable(Table) }, Shifted },
        { "bounds or its rounding", Options with { Sparsity = 0.5, MinimumLayerSparsity = 0.2 }, (name, target) =>
            name == First ? 10 : target },
        { "bounds or its rounding", Options with { Sparsity = 0.5, MaximumLayerSparsity = 0.9 }, (name, target) =>
            name == First ? 510 : target },
        { "bounds or its rounding", Options with { Sparsity = 0.5, Strategy = new PerChannel { RoundTo = 4 } }, (name, target) =>
            name == First ? target + 1 : target },
        { "settings ask for 832", Options with { Sparsity = 0.5, Strategy = new PerChannel { RoundTo = 4 } }, (_, _) => 0 },
        { "settings ask for 832", Options with { Sparsity = 0.5, Strategy = new PerChannel() }, (name, target) =>
            name == First ? target + 2 : target },
    };

    private static Dictionary<string, double> Table => new() { [First] = 0.25, ["second.weight"] = 0.5, ["last.weight"] = 0 };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void Restore_OfTargetsThatContradictTheSettings_SaysHowAndChangesNothing(
        string words, PdpOptions options, Func<string, long, long> edit)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, options);
        pruner.BeginEpoch(0);
        var state = pruner.GetState();
        pruner.Restore(state);

        var targets = state.Targets!.ToDictionary(pair => pair.Key, pair => edit(pair.Key, pair.Value));
        var fault = Assert.Throws<ArgumentException>(() => pruner.Restore(state with { Targets = targets }));

        Assert.Contains("damaged", fault.Message, StringComparison.Ordinal);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.Equal(state.ToJson(), pruner.GetState().ToJson());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Restore_OfTargetsThatMissTheBudgetOfMacs_SaysSo(int alignment)
    {
        using var model = Zoo.Get(nameof(VggLike)).Make();
        var options = Options with { Strategy = new PerChannel { RoundTo = alignment } };
        using var pruner = new PdpPruner(model, WithBudget(options, Zoo.Get(nameof(VggLike)), model, 0.5));
        pruner.BeginEpoch(0);
        var state = pruner.GetState();

        RequireRefused(_ => 0);
        RequireRefused(target => target >= alignment ? target - alignment : target);

        void RequireRefused(Func<long, long> edit)
        {
            var targets = state.Targets!.ToDictionary(pair => pair.Key, pair => edit(pair.Value));
            var fault = Assert.Throws<ArgumentException>(() => pruner.Restore(state with { Targets = targets }));
            Assert.Contains("budget of MACs", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Restore_OfWhatAnyPlanGave_TakesIt()
    {
        var taken = 0;
        Law.Holds(Plans, plan =>
        {
            var zoo = Zoo.Get(plan.Net);
            using var model = zoo.Make();
            using var pruner = Make(zoo, model, plan);
            if (pruner is null)
                return;

            pruner.BeginEpoch(0);
            var state = PrunerState.FromJson(pruner.GetState().ToJson());
            using var moved = Make(zoo, model, plan);
            Scramble(model);

            moved!.Restore(state with { Weights = null });

            Assert.Equal(state.Targets, moved.GetState().Targets);
            taken++;
        }, count: 30);

        Assert.True(taken > 10, $"Only {taken} plans were possible.");
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>A pruner of a plan; null where the model doesn't allow it.</summary>
    private static PdpPruner? Make(
        ZooModel zoo, nn.Module<Tensor, Tensor> model, (string Net, bool IsMapped, PdpOptions Options, double Budget) plan)
    {
        var options = plan.IsMapped ? plan.Options with { Channels = ZooMaps.Of(plan.Net) } : plan.Options;
        try
        {
            return new(model, plan.Budget > 0 && plan.IsMapped ? WithBudget(plan.Options, zoo, model, plan.Budget) : options);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static PdpOptions WithBudget(PdpOptions options, ZooModel zoo, nn.Module<Tensor, Tensor> model, double fraction)
    {
        using var example = zoo.Batch(size: 1);
        var map = ZooMaps.Of(zoo.Name);
        return options with { Sparsity = null, Channels = map, Allocation = new MacBudget(fraction, map, MacCount.Of(model, example)) };
    }

    private static void Scramble(nn.Module model)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var generator = new Generator(1);
        foreach (var parameter in model.parameters())
            parameter.copy_(randn(parameter.shape, generator: generator));
    }

    /// <summary>A weight more from one layer and one less from another, so that the sum stays.</summary>
    private static long Shifted(string name, long target) => name == First ? target + 1 : name == "second.weight" ? target - 1 : target;
}
