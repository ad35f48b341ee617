using System.Globalization;
using Pdp.Allocation;
using Pdp.Internal;

namespace Pdp;

/// <summary>
/// Removes a fraction of the model's multiply-accumulates (MACs): ranks all channels by magnitude and cuts where the budget is met.
/// </summary>
/// <remarks>
/// <para>
/// A channel's MACs are those of its filters and of the layers that read it, so what it saves depends on the other channels. The MACs
/// removed only grow with the global cut, and bisection over the sorted channels finds the cut at which they are nearest to the budget, to
/// the channel; the lower of two that are equally near. Ties in magnitude are broken in the order of the groups. Each group keeps at least
/// one channel, and the options' bounds hold. If the strategy's alignment removes channels several at a time, one group may lose a step
/// more or less than the cut says, if that is nearer to the budget. Plan and report warn with the numbers where it is still missed by more
/// than 1 % of the model's MACs.
/// </para>
/// <para>
/// For the <see cref="Pdp.PerChannel"/> strategy with <see cref="PdpOptions.Channels"/>. Leave the sparsity of the options and of rules
/// unset.
/// </para>
/// </remarks>
public sealed record MacBudget : ISparsityAllocation
{
    /// <summary>Makes the allocation.</summary>
    /// <param name="fraction">
    /// The fraction of the whole model's counted MACs (<see cref="MacCount.Total"/>) to be removed, in (0, 1). Layers that stay dense are
    /// in the whole; what <see cref="MacCount.Uncounted"/> lists is in neither part.
    /// </param>
    /// <param name="channels">The channels that belong together.</param>
    /// <param name="macs">The MACs of the same model, counted for inputs of the size that will be used.</param>
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

    /// <summary>Whether a channel's magnitude is divided by the mean of its group.</summary>
    /// <value>Default true, as the scale of filters before a norm is arbitrary; false compares magnitudes as they are.</value>
    public bool IsRelative { get; init; } = true;

    /// <summary>The channels that belong together.</summary>
    public ChannelMap Channels { get; }

    /// <summary>The MACs of the dense model.</summary>
    public MacCount Macs { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// A layer is not a group of the map, or the bounds don't allow so many or so few MACs to be removed.
    /// </exception>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        return Counts(layers).Sum() / (double)layers.Sum(layer => layer.Layout.Elements);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// A layer is not a group of the map, or the bounds don't allow so many or so few MACs to be removed.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The total is not the number of weights that meets the budget.</exception>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        AllocationRange.Require(layers, remove);
        var counts = Counts(layers);
        return counts.Sum() == remove ? counts : throw Guard.Outside(nameof(remove), remove,
            $"{{{counts.Sum()}}}, the number that meets the budget of MACs");
    }

    /// <inheritdoc/>
    public string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"{nameof(MacBudget)} of {Fraction:R} of {Macs.Total} MACs{(IsRelative ? "" : ", magnitudes as they are")}");

    /// <summary>Whether targets meet the budget: if they miss it, one step more or less in a single group passes it.</summary>
    /// <param name="limits">The limits of the groups.</param>
    /// <param name="targets">The channels removed from each group.</param>
    internal bool IsMetBy(IReadOnlyList<LayerLimits> limits, IReadOnlyList<long> targets)
    {
        ChannelGroup[] groups = [.. limits.Select(layer => Channels.Groups.First(group => group.Name == layer.Mask.Name))];
        double Missing(IEnumerable<long> channels) =>
            (Fraction * Macs.Total) - (Macs.Total
                - Macs.After(groups.Zip(channels, (group, removed) => new ChannelCut(group, removed))).Total);

        var missing = Missing(targets);
        return missing == 0 || limits.Index().Any(pair =>
            pair.Item.Next(targets[pair.Index], isMore: missing > 0) is { } next
            && missing * Missing([.. targets.Take(pair.Index), next, .. targets.Skip(pair.Index + 1)]) <= 0);
    }

    /// <summary>The number of weights of each layer below the cut that is nearest to the budget.</summary>
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
            throw new ArgumentException(
                $"The budget asks for {Share(budget)} of the model's {Number(Macs.Total)} MACs to be removed, but no more than "
                + $"{Number(most)} ({Share(most)}) can be: each group of channels keeps at least one, and layers that stay dense keep all. "
                + $"Ask for less, raise the maximum sparsity of layers, or let more of the {Channels.Groups.Count} groups be "
                + $"pruned{(Channels.Unsupported.Count == 0 ? "" : $"; {string.Join(", ", Channels.Unsupported.Keys)} can't be")}.");
        if (budget < least)
            throw new ArgumentException(
                $"The budget asks for {Share(budget)} of the model's {Number(Macs.Total)} MACs to be removed, but the minimum sparsity of "
                + $"layers already removes {Number(least)} ({Share(least)}): ask for more or lower the minimum.");
    }

    private string Share(double macs) => (macs / Macs.Total).ToString("0.###%", CultureInfo.InvariantCulture);

    private static string Number(long macs) => macs.ToString("N0", CultureInfo.InvariantCulture);
}
