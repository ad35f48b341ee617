using System.Globalization;
using System.Numerics;
using Pdp.Strategies;

namespace Pdp.Allocation;

/// <summary>The targets of a mask that strategy, rule and options allow, whatever the weights are.</summary>
/// <param name="Mask">The mask.</param>
/// <param name="Fixed">
/// The members that the strategy or a rule removes from each group, before alignment; null where the allocation decides.
/// </param>
/// <param name="Least">The fewest members that the allocation may remove.</param>
/// <param name="Most">The most members that the allocation may remove.</param>
internal sealed record LayerLimits(PdpMask Mask, long? Fixed, long Least, long Most)
{
    /// <summary>The number of members that are kept must be a multiple of this, or all of them.</summary>
    /// <remarks>A head, or a group of a grouped convolution, is one member with several channels.</remarks>
    public int RoundTo => Mask.Strategy is PerChannel channel
        ? channel.RoundTo / (int)BigInteger.GreatestCommonDivisor(channel.RoundTo, Mask.ChannelsPerMember)
        : 1;

    /// <summary>The target that the strategy or a rule fixes; null where the allocation decides.</summary>
    public long? FixedTarget => Fixed is { } count ? Aligned(count) : null;

    /// <summary>The limits of a mask under a rule.</summary>
    /// <exception cref="ArgumentException">A rule asks for another sparsity than the strategy fixes.</exception>
    public static LayerLimits Of(PdpMask mask, LayerRule? rule, SparsityGoal goal) => new LayerLimits(
        mask,
        FixedCount(mask, rule),
        (long)Math.Ceiling((mask.Members * (rule?.MinimumSparsity ?? goal.Minimum)) - 1e-9),
        Math.Min(Counts.Floor(mask.Members, rule?.MaximumSparsity ?? goal.Maximum), mask.Members - 1)).Attainable();

    /// <summary>The nearest lower target that leaves a multiple of the strategy's alignment.</summary>
    public long Aligned(long target) => Counts.Aligned(Mask.Members, target, RoundTo);

    /// <summary>
    /// The range of counts within the bounds that rounding turns into a target; empty, with the first above the second, if there is none.
    /// </summary>
    public (long Least, long Most) Sources(long target)
    {
        var most = target + ((Mask.Members - target - 1) % RoundTo);
        // Counts between the target below and this one may have been rounded up to it.
        var least = target > 0 && target <= Most ? Aligned(target - 1) + 1 : target;
        return Aligned(target) == target ? (Math.Max(least, Least), Math.Min(most, Most)) : (1, 0);
    }

    /// <summary>The target one step above or below; null if the bounds don't allow it.</summary>
    public long? Next(long target, bool isMore)
    {
        var next = isMore ? Above(target) : Aligned(target - 1);
        return next != target && next <= Most && next >= Aligned(Least) ? next : null;
    }

    /// <summary>The same, with a minimum that gives way to the alignment where no aligned target is within the bounds.</summary>
    private LayerLimits Attainable()
    {
        var below = Aligned(Least);
        return below < Least && Least <= Most && Above(below) > Most ? this with { Least = below } : this;
    }

    private long Above(long target) => target + ((Mask.Members - target - 1) % RoundTo) + 1;

    private static long? FixedCount(PdpMask mask, LayerRule? rule)
    {
        if (mask.Strategy.FixedSparsity is { } pattern)
        {
            return rule?.Sparsity is null
                ? Counts.Floor(mask.Members, pattern)
                : throw new ArgumentException(
                    $"The rule for {rule.Match} asks for sparsity {Text(rule.Sparsity.Value)} of '{mask.Name}', but {mask.Strategy.Name} "
                    + $"removes exactly {Text(pattern)}: leave the rule's sparsity unset.");
        }

        return rule?.Sparsity is { } sparsity ? Math.Min(Counts.Floor(mask.Members, sparsity), mask.Members - 1) : null;
    }

    private static string Text(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
