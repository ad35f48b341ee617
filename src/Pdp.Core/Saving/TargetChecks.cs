using Pdp.Allocation;

namespace Pdp.Saving;

/// <summary>Checks that the targets of a state are possible under the options.</summary>
internal static class TargetChecks
{
    /// <summary>Checks a target against the value that the settings fix or else against the layer's bounds.</summary>
    /// <param name="limits">The layer's limits.</param>
    /// <param name="target">The number of members removed from each group.</param>
    /// <param name="only">The value that the settings fix; null if it depends on the weights.</param>
    /// <exception cref="ArgumentException">The target is not possible under these settings.</exception>
    public static void Require(LayerLimits limits, long target, long? only)
    {
        StateChecks.Require(target == (only ?? target), $"the target of '{limits.Mask.Name}' is {target}, but the settings make it {only}");
        var (least, most) = limits.Sources(target);
        StateChecks.Require(only is not null || least <= most,
            $"the target of '{limits.Mask.Name}' is {target}, which its bounds or its rounding don't allow");
    }

    /// <summary>Checks the sum of the targets, up to the rounding to whole members and to the alignment.</summary>
    /// <param name="limits">The limits of the layers that the allocation decides about.</param>
    /// <param name="targets">Their targets.</param>
    /// <param name="remove">The number of weights that the allocation had to remove.</param>
    /// <exception cref="ArgumentException">The targets don't add up to this number.</exception>
    public static void RequireTotal(IReadOnlyList<LayerLimits> limits, IReadOnlyList<long> targets, long remove)
    {
        var rounding = limits.Max(layer => layer.Mask.WeightsPerRank) / 2;
        var most = limits.Zip(targets, (layer, target) => layer.Mask.WeightsPerRank * layer.Sources(target).Most).Sum();
        var least = limits.Zip(targets, (layer, target) => layer.Mask.WeightsPerRank * layer.Sources(target).Least).Sum();
        var actual = limits.Zip(targets, (layer, target) => layer.Mask.WeightsPerRank * target).Sum();
        StateChecks.Require(
            remove >= least - rounding && remove <= most + rounding,
            $"its targets remove {actual} weights from the layers that the allocation decides about, but the settings ask for {remove}");
    }
}
