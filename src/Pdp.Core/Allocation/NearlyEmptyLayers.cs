using System.Globalization;
using Pdp.Internal;
using Pdp.Masking;

namespace Pdp.Allocation;

/// <summary>Warns of layers that an allocation nearly empties while the whole keeps far more.</summary>
/// <remarks>
/// A ranking of all magnitudes without a floor does this to layers whose weights are small merely by initialization: the second linear
/// layer of a fresh transformer block, with four times the inputs, keeps 1 weight of 65,536 at 90 %. So do methods that rank by themselves
/// and bounds of other layers that leave no choice.
/// </remarks>
internal static class NearlyEmptyLayers
{
    /// <summary>The sparsity of a layer above which it counts as nearly empty.</summary>
    private const double Limit = 0.99;

    /// <summary>
    /// The density of a layer, relative to the average of those that the allocation decides about, above which it doesn't count.
    /// </summary>
    private const double RelativeDensity = 0.1;

    /// <summary>Layers with fewer weights don't count by their sparsity.</summary>
    private const long LeastWeights = 1000;

    /// <summary>A single remaining weight counts, in layers of any size, if the model's sparsity would leave at least this many.</summary>
    private const double LeastLeft = 16;

    /// <summary>A single remaining channel counts if there were at least this many, and the model's sparsity would leave two.</summary>
    private const long LeastChannels = 16;

    /// <summary>The largest number of layers that the warning names.</summary>
    private const int Named = 3;

    /// <summary>The warning about a set of targets; null if no layer is nearly empty.</summary>
    public static string? Warning(SparsityGoal goal, IReadOnlyList<PrunedLayer> layers, IReadOnlyList<long> targets)
    {
        var whole = Share(layers.Zip(targets).Sum(pair => pair.Second * pair.First.Mask.WeightsPerRank),
            layers.Sum(layer => layer.Mask.Layout.Elements));
        if (whole > Limit || goal.Allocation is SparsityTable)
            return null;

        var allocated = AllocatedDensity(layers, targets);
        (PdpMask Mask, long Target)[] empty =
        [
            .. layers.Zip(targets).Where(pair => IsAllocated(pair.First)
                && (IsNearlyEmpty(goal, pair.First, pair.Second, allocated) || IsLastOne(pair.First.Mask, pair.Second, whole)))
                .Select(pair => (pair.First.Mask, pair.Second)),
        ];
        var more = empty.Length > Named ? $" and {empty.Length - Named} more" : "";
        return empty.Length == 0
            ? null
            : $"Nearly empty, while the whole model is at {TextTable.Percent(whole)}: "
                + $"{string.Join(", ", empty.Take(Named).Select(Description))}{more}. If the network is trained from scratch, set "
                + $"PdpOptions.MaximumLayerSparsity, for example to {Cure(empty)}, or Allocation = new ErdosRenyiKernel(), which doesn't "
                + "look at the weights.";
    }

    /// <summary>Whether no rule influences how much of a layer is removed.</summary>
    private static bool IsAllocated(PrunedLayer layer) =>
        layer.Mask.Strategy.FixedSparsity is null && layer.Rule?.Sparsity is null && layer.Rule?.MaximumSparsity is null or 1;

    /// <summary>The average density of the layers whose sparsity neither the strategy nor a rule fixes.</summary>
    private static double AllocatedDensity(IReadOnlyList<PrunedLayer> layers, IReadOnlyList<long> targets)
    {
        var free = layers.Zip(targets).Where(pair => pair.First.Mask.Strategy.FixedSparsity is null && pair.First.Rule?.Sparsity is null);
        var (removed, all) = free.Aggregate((Removed: 0L, All: 0L), (sum, pair) =>
            (sum.Removed + (pair.Second * pair.First.Mask.WeightsPerRank), sum.All + pair.First.Mask.Layout.Elements));
        return all == 0 ? 1 : 1 - Share(removed, all);
    }

    private static bool IsNearlyEmpty(SparsityGoal goal, PrunedLayer layer, long target, double average)
    {
        var share = Share(target, layer.Mask.Members);
        return (layer.Rule?.MaximumSparsity ?? goal.Maximum) == 1 && layer.Mask.Layout.Elements >= LeastWeights
            && share > Limit && 1 - share < RelativeDensity * average;
    }

    /// <summary>Whether one competitor is left although the model's sparsity would leave more.</summary>
    private static bool IsLastOne(PdpMask mask, long target, double whole)
    {
        var left = (1 - whole) * mask.Members;
        return target == mask.Members - 1
            && (mask.Strategy is Pdp.PerChannel ? left >= 2 && mask.Members >= LeastChannels : left >= LeastLeft);
    }

    /// <summary>A bound at which each of the layers keeps more than one competitor.</summary>
    private static string Cure(IEnumerable<(PdpMask Mask, long Target)> empty)
    {
        var bound = Math.Min(Limit, 1 - (1.5 / empty.Min(pair => pair.Mask.Members)));
        return (Math.Floor(bound * 1000) / 1000).ToString(CultureInfo.InvariantCulture);
    }

    private static string Description((PdpMask Mask, long Target) layer)
    {
        var (mask, kept) = (layer.Mask, layer.Mask.Members - layer.Target);
        var channels = mask.Strategy is Pdp.PerChannel
            ? string.Create(CultureInfo.InvariantCulture, $" ({kept} of {mask.Members} channels)")
            : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"'{mask.Name}' keeps {kept * mask.WeightsPerRank} of {mask.Layout.Elements} weights{channels}");
    }

    private static double Share(long part, long all) => part / (double)all;
}
