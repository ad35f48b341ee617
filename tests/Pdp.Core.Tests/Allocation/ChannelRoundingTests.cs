using CsCheck;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Allocation;

public sealed class ChannelRoundingTests
{
    /// <summary>Layers of 8 to 24 channels and 1 to 6 inputs.</summary>
    private static readonly Gen<((int Outputs, int Inputs)[] Layers, int RoundTo, double Sparsity, bool IsGlobal)> Cases =
        Gen.Select(Gen.Select(Gen.Int[8, 24], Gen.Int[1, 6]).Array[2, 6], Gen.Int[2, 5], Gen.Double[0.1, 0.6], Gen.Bool);

    [Fact]
    public void Plan_WhenChannelsAreRounded_MeetsTheTotalToHalfAStep() => Law.Holds(Cases, pair =>
    {
        var (layers, roundTo, sparsity, isGlobal) = pair;
        using var model = Of(layers);
        using var pruner = new PdpPruner(model, Options(sparsity, roundTo, isGlobal));

        var plan = pruner.Plan();

        Assert.All(plan.Layers.Zip(layers), both => Assert.True(IsRound(both.First, both.Second, roundTo)));
        // A group that would lose all, or is at its bound, can't be rounded up.
        if (plan.Layers.Zip(layers).All(both => both.First.Kept > roundTo * both.Second.Inputs))
            Assert.InRange(
                Math.Abs(plan.Removed - (sparsity * plan.PrunableWeights)), 0, (roundTo + 1) * layers.Max(layer => layer.Inputs) / 2.0);
    });

    [Fact]
    public void Plan_OfManyLayers_FallsShortOfNoneOverall()
    {
        using var model = Of([.. Enumerable.Repeat((12, 10), 6)]);
        using var pruner = new PdpPruner(model, Options(0.5, roundTo: 4, isGlobal: false));

        var plan = pruner.Plan();

        // Each layer's half is 6 of 12 channels; 4 or 8 can go.
        Assert.Equal((0.5, 3, 3), (
            plan.Sparsity, plan.Layers.Count(layer => layer.Removed == 40), plan.Layers.Count(layer => layer.Removed == 80)));
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public void Plan_WhenNothingCanBeGivenBack_WarnsOfWhatIsMissed()
    {
        using var model = Of([(12, 10)]);
        using var pruner = new PdpPruner(model, Options(0.5, roundTo: 4, isGlobal: true));

        var plan = pruner.Plan();

        Assert.Equal(40, plan.Removed);
        Assert.StartsWith(
            "Rounding to multiples of channels removes 40 of 120 weights, 33.33% and not 50.00%.",
            Assert.Single(plan.Warnings),
            StringComparison.Ordinal);
    }

    /// <summary>What a run has planned is what its state may hold.</summary>
    [Fact]
    public void Restore_OfRoundedTargets_TakesThem() => Law.Holds(Cases, pair =>
    {
        var (layers, roundTo, sparsity, isGlobal) = pair;
        using var model = Of(layers);
        using var pruner = new PdpPruner(model, Options(sparsity, roundTo, isGlobal));
        pruner.BeginEpoch(0);
        var state = pruner.GetState();

        using var other = new PdpPruner(model, Options(sparsity, roundTo, isGlobal));
        other.Restore(state);

        Assert.Equal(state.Targets, other.GetState().Targets);
    });

    private static bool IsRound(PlannedLayer layer, (int Outputs, int Inputs) size, int roundTo)
    {
        var kept = layer.Kept / size.Inputs;
        return layer.Kept % size.Inputs == 0 && (kept == size.Outputs || kept % roundTo == 0);
    }

    /// <summary>Layers side by side; the model is never called.</summary>
    private static TorchSharp.Modules.Sequential Of((int Outputs, int Inputs)[] layers) =>
        Sequential(layers.Select((layer, i) => ($"layer{i}", Make(layer))));

    private static Module<Tensor, Tensor> Make((int Outputs, int Inputs) size)
    {
        manual_seed(size.Outputs + (100 * size.Inputs));
        return Linear(size.Inputs, size.Outputs, hasBias: false);
    }

    private static PdpOptions Options(double sparsity, int roundTo, bool isGlobal) => new()
    {
        Epochs = 1,
        Sparsity = sparsity,
        Schedule = new ConstantSparsity(),
        Strategy = new PerChannel { RoundTo = roundTo },
        Allocation = isGlobal ? new GlobalMagnitude() : new UniformSparsity(),
    };
}
