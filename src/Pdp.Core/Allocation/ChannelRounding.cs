using System.Globalization;
using Pdp.Internal;
using Pdp.Masking;

namespace Pdp.Allocation;

/// <summary>Rounds targets to the multiples of channels that <see cref="PerChannel.RoundTo"/> asks for.</summary>
internal static class ChannelRounding
{
    /// <summary>The share of a model's MACs by which a budget may be missed without a warning.</summary>
    private const double MissedShare = 0.01;

    /// <summary>Rounds each target down, and up again where the most is missing, until the total is met to the nearest step.</summary>
    /// <remarks>
    /// Targets that a strategy or a rule fixes stay rounded down. The total is missed by half the largest step at most, if bounds allow it.
    /// </remarks>
    public static long[] Of(IReadOnlyList<LayerLimits> limits, IReadOnlyList<long> targets)
    {
        long[] rounded = [.. limits.Zip(targets, (layer, target) => layer.Aligned(target))];
        long Lost(int i) => (targets[i] - rounded[i]) * limits[i].Mask.WeightsPerRank;

        int[] open = [.. Enumerable.Range(0, rounded.Length).Where(i => limits[i].Fixed is null && Lost(i) > 0)];
        var missing = open.Sum(Lost);
        foreach (var i in open.OrderByDescending(i => Lost(i) / (double)(limits[i].RoundTo * limits[i].Mask.WeightsPerRank)))
        {
            if (limits[i].Next(rounded[i], isMore: true) is not { } next)
                continue;

            var step = (next - rounded[i]) * limits[i].Mask.WeightsPerRank;
            if (step >= 2 * missing)
                continue;
            rounded[i] = next;
            missing -= step;
        }

        return rounded;
    }

    /// <summary>
    /// Says by how much rounding misses the sparsity or the MACs that the options ask for; null where no layer rounds, or it is less than a
    /// channel, or 1 % of the MACs.
    /// </summary>
    public static string? Warning(SparsityGoal goal, IReadOnlyList<PrunedLayer> layers, IReadOnlyList<long> targets)
    {
        if (!layers.Any(layer => layer.Mask.Strategy is PerChannel { RoundTo: > 1 }))
            return null;
        if (goal.Allocation is MacBudget budget)
            return WarningOfMacs(budget, layers, targets);
        if (goal.Sparsity is not { } asked)
            return null;

        var prunable = layers.Sum(layer => layer.Mask.Layout.Elements);
        var removed = layers.Zip(targets).Sum(pair => pair.Second * pair.First.Mask.WeightsPerRank);
        var missed = Math.Abs(removed - (asked * prunable));
        return missed < layers.Max(layer => layer.Mask.WeightsPerRank)
            ? null
            : "Rounding to multiples of channels removes "
                + string.Create(CultureInfo.InvariantCulture, $"{removed:N0} of {prunable:N0} weights, ")
                + $"{TextTable.Percent(removed / (double)prunable)} and not {TextTable.Percent(asked)}. "
                + "A smaller PerChannel.RoundTo, or wider bounds, come nearer.";
    }

    private static string? WarningOfMacs(MacBudget budget, IReadOnlyList<PrunedLayer> layers, IReadOnlyList<long> targets)
    {
        ChannelCut[] cuts =
        [
            .. layers.Zip(targets).Where(pair => pair.First.Mask.Strategy is PerChannel)
                .Select(pair => new ChannelCut(budget.Channels.Groups.First(group => group.Name == pair.First.Mask.Name), pair.Second)),
        ];
        var removed = budget.Macs.Total - budget.Macs.After(cuts).Total;
        return Math.Abs((removed / (double)budget.Macs.Total) - budget.Fraction) <= MissedShare
            ? null
            : "Rounding to multiples of channels removes "
                + string.Create(CultureInfo.InvariantCulture, $"{removed:N0} of {budget.Macs.Total:N0} MACs, ")
                + $"{TextTable.Percent(removed / (double)budget.Macs.Total)} and not {TextTable.Percent(budget.Fraction)}. "
                + "A smaller PerChannel.RoundTo, or wider bounds, come nearer.";
    }
}
