using Pdp.Allocation;

namespace Pdp.Saving;

/// <summary>Checks that the targets of a state are possible under the options.</summary>
internal static class TargetChecks
{
    /// <summary>Checks that a goal can lead to the targets, whatever the weights were.</summary>
    /// <exception cref="ArgumentException">It can't.</exception>
    public static void RequirePossible(TargetPlanner planner, SparsityGoal goal, IReadOnlyList<long> targets)
    {
        var only = planner.Certain();
        for (var i = 0; i < only.Length; i++)
            Require(planner.Limits[i], targets[i], only[i]);

        // Those that the allocation decides about; where nothing fixes their sum, any will do.
        int[] free = [.. Enumerable.Range(0, only.Length).Where(i => only[i] is null)];
        LayerLimits[] limits = [.. free.Select(i => planner.Limits[i])];
        long[] freeTargets = [.. free.Select(i => targets[i])];
        if (free.Length > 0 && goal.Allocation is MacBudget budget)
            StateChecks.Require(budget.IsMetBy(limits, freeTargets), "its targets are not those of the budget of MACs");
        if (free.Length > 0 && planner.Open is { } remove)
            RequireTotal(limits, freeTargets, remove);
    }

    /// <summary>Checks a target against the value that the settings fix or else against the layer's bounds.</summary>
    /// <param name="limits">The layer's limits.</param>
    /// <param name="target">The number of members removed from each group.</param>
    /// <param name="only">The value that the settings fix; null if it depends on the weights.</param>
    /// <exception cref="ArgumentException">The target is not possible under these settings.</exception>
    private static void Require(LayerLimits limits, long target, long? only)
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
    private static void RequireTotal(IReadOnlyList<LayerLimits> limits, IReadOnlyList<long> targets, long remove)
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
