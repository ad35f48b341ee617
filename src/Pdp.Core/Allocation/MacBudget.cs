using System.Globalization;
using Pdp.Allocation;
using Pdp.Internal;

namespace Pdp;

/// <summary>Removes a fraction of the model's multiply-accumulates (MACs): one order of all channels' magnitudes, cut where the budget is met.</summary>
/// <remarks>
/// <para>
/// A channel's MACs are those of its filters and of what the layers behind read of it, so what it saves depends on the others. The MACs
/// removed only grow with the global cut, and bisection over the sorted channels finds the cut at which they are nearest to the budget, to the
/// channel; of two that are as near, the lower. Ties in magnitude go in the order of the groups. Each group keeps a channel at least, and the
/// options' bounds hold. Where the strategy's alignment lets channels go only several at a time, one group may lose a step more or less than the
/// cut says, if that is nearer to the budget.
/// </para>
/// <para>
/// For the <see cref="Pdp.PerChannel"/> strategy with <see cref="PdpOptions.Channels"/>. Leave the sparsity of the options and of rules unset.
/// </para>
/// </remarks>
public sealed record MacBudget : ISparsityAllocation
{
    /// <summary>Makes the allocation.</summary>
    /// <param name="fraction">
    /// The fraction of the whole model's counted MACs (<see cref="MacCount.Total"/>) to be removed, in (0, 1). Layers that stay dense are in the
    /// whole; what <see cref="MacCount.Uncounted"/> lists is in neither part.
    /// </param>
    /// <param name="channels">The channels that belong together.</param>
    /// <param name="macs">The MACs of the same model, counted for inputs of the size that matters.</param>
    /// <exception cref="ArgumentOutOfRangeException">The fraction is not in (0, 1).</exception>
    /// <exception cref="ArgumentException">The count is of another model than the map.</exception>
    public MacBudget(double fraction, ChannelMap channels, MacCount macs)
    {
        Fraction = Guard.Inside(fraction, nameof(fraction));
        Channels = Guard.NotNull(channels, nameof(channels));
        Macs = Guard.NotNull(macs, nameof(macs));
        channels.RequireFit(macs);
    }

    /// <summary>The fraction of the whole model's counted MACs (<see cref="MacCount.Total"/>) to be removed, in (0, 1).</summary>
    public double Fraction { get; }

    /// <summary>Whether a channel's magnitude counts over the mean of its group.</summary>
    /// <value>Default true, as the scale of filters in front of a norm means nothing; false compares magnitudes as they are.</value>
    public bool IsRelative { get; init; } = true;

    /// <summary>The channels that belong together.</summary>
    public ChannelMap Channels { get; }

    /// <summary>The MACs of the dense model.</summary>
    public MacCount Macs { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A layer is not a group of the map, or the bounds don't allow that many MACs to be removed, or that few.</exception>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        return Counts(layers).Sum() / (double)layers.Sum(layer => layer.Layout.Elements);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A layer is not a group of the map, or the bounds don't allow that many MACs to be removed, or that few.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The total is not what the budget comes to.</exception>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        Reach.Require(layers, remove);
        var counts = Counts(layers);
        return counts.Sum() == remove ? counts : throw Guard.Outside(nameof(remove), remove, $"{{{counts.Sum()}}}, which is what the budget of MACs comes to");
    }

    /// <inheritdoc/>
    public string Describe() => string.Create(CultureInfo.InvariantCulture, $"{nameof(MacBudget)} of {Fraction:R} of {Macs.Total} MACs{(IsRelative ? "" : ", magnitudes as they are")}");

    /// <summary>Whether targets can be what the budget came to: where they miss it, a step more or less of one group reaches past it.</summary>
    /// <param name="limits">The limits of the groups.</param>
    /// <param name="targets">The channels that go.</param>
    internal bool IsMetBy(IReadOnlyList<LayerLimits> limits, IReadOnlyList<long> targets)
    {
        ChannelGroup[] groups = [.. limits.Select(layer => Channels.Groups.First(group => group.Name == layer.Mask.Name))];
        double Missing(IEnumerable<long> channels) => (Fraction * Macs.Total) - (Macs.Total - Macs.After(groups.Zip(channels, (group, removed) => new ChannelCut(group, removed))).Total);

        var missing = Missing(targets);
        return missing == 0 || limits.Index().Any(pair =>
            pair.Item.Next(targets[pair.Index], isMore: missing > 0) is { } next
            && missing * Missing([.. targets.Take(pair.Index), next, .. targets.Skip(pair.Index + 1)]) <= 0);
    }

    /// <summary>The weights of each layer below the cut that is nearest to the budget.</summary>
    private long[] Counts(IReadOnlyList<AllocationLayer> layers)
    {
        var order = new ChannelOrder(layers, Channels, IsRelative);
        long Removed(long[] channels) => Macs.Total - Macs.After(order.Cuts(channels)).Total;

        var budget = Fraction * Macs.Total;
        var (low, high) = (0, order.Length);
        RequireReachable(budget, Removed(order.ChannelsOf(low)), Removed(order.ChannelsOf(high)));
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (Removed(order.ChannelsOf(middle)) <= budget)
                low = middle;
            else
                high = middle;
        }

        var nearest = order.Around(order.ChannelsOf(low)).Concat(order.Around(order.ChannelsOf(high)))
            .Select(channels => (Channels: channels, Distance: Math.Abs(budget - Removed(channels))))
            .MinBy(cut => cut.Distance);
        return order.Weights(nearest.Channels);
    }

    private void RequireReachable(double budget, long least, long most)
    {
        if (budget > most)
            throw new ArgumentException($"The budget asks for {Share(budget)} of the model's {Number(Macs.Total)} MACs to be removed, but no more than {Number(most)} ({Share(most)}) can be: each group of channels keeps one at least, and layers that stay dense keep all. Ask for less, raise the maximum sparsity of layers, or let more of the {Channels.Groups.Count} groups be pruned{(Channels.Unsupported.Count == 0 ? "" : $"; {string.Join(", ", Channels.Unsupported.Keys)} can't be")}.");
        if (budget < least)
            throw new ArgumentException($"The budget asks for {Share(budget)} of the model's {Number(Macs.Total)} MACs to be removed, but the minimum sparsity of layers already removes {Number(least)} ({Share(least)}): ask for more or lower the minimum.");
    }

    private string Share(double macs) => (macs / Macs.Total).ToString("0.###%", CultureInfo.InvariantCulture);

    private static string Number(long macs) => macs.ToString("N0", CultureInfo.InvariantCulture);
}
