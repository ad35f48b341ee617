using static TorchSharp.torch;

namespace Pdp.Allocation;

/// <summary>
/// The order in which channels are removed: by magnitude across all groups, the smallest first, and among equals by group and position.
/// </summary>
internal sealed class ChannelOrder
{
    private readonly AllocationLayer[] _layers;
    private readonly ChannelGroup[] _groups;
    private readonly long[] _least;
    private readonly long[] _lowest;
    private readonly int[] _order;
    private readonly bool _isRelative;

    /// <summary>Orders the channels that the layers' bounds leave open.</summary>
    /// <exception cref="ArgumentException">A layer is not a group of the map, or its weights are not masked by channels.</exception>
    public ChannelOrder(IReadOnlyList<AllocationLayer> layers, ChannelMap map, bool isRelative)
    {
        _isRelative = isRelative;
        _layers = [.. layers];
        _groups = [.. layers.Select(layer => GroupOf(layer, map))];
        _least = [.. layers.Select(layer => (layer.Minimum + WidthOf(layer) - 1) / WidthOf(layer))];
        _lowest = [.. _layers.Zip(_least, LowestOf)];
        _order = [.. Enumerable.Range(0, _layers.Length)
            .SelectMany(OpenChannels)
            .OrderBy(open => open.Magnitude)
            .Select(open => open.Layer)];
    }

    /// <summary>The number of channels that may be removed or kept.</summary>
    public int Length => _order.Length;

    /// <summary>
    /// The channels removed from each group for a cut through the order, together with those that have to be removed anyway.
    /// </summary>
    public long[] ChannelsOf(int first)
    {
        long[] channels = [.. _least];
        foreach (var layer in _order.AsSpan(0, first))
            channels[layer]++;
        return [.. channels.Index().Select(pair => Math.Max(Aligned(_layers[pair.Index], pair.Item), _lowest[pair.Index]))];
    }

    /// <summary>
    /// A cut and, if channels are removed several at a time, its neighbors, in which one group loses one step more or less.
    /// </summary>
    public IEnumerable<long[]> Around(long[] channels)
    {
        yield return channels;
        foreach (var (i, layer) in _layers.Index().Where(pair => pair.Item.RoundTo > 1))
        {
            foreach (var step in (int[])[-layer.RoundTo, layer.RoundTo])
            {
                long[] other = [.. channels];
                other[i] = Aligned(layer, channels[i] + step);
                if (other[i] >= _lowest[i] && other[i] <= MostOf(layer))
                    yield return other;
            }
        }
    }

    /// <summary>The groups, with the number of channels removed from each.</summary>
    public IEnumerable<ChannelCut> Cuts(long[] channels) => _groups.Zip(channels, (group, removed) => new ChannelCut(group, removed));

    /// <summary>The number of weights removed from each layer.</summary>
    public long[] Weights(long[] channels) => [.. _layers.Zip(channels, (layer, removed) => removed * WidthOf(layer))];

    private static ChannelGroup GroupOf(AllocationLayer layer, ChannelMap map)
    {
        if (map.Groups.FirstOrDefault(group => group.Name == layer.Name) is not { } group)
            throw new ArgumentException(
                $"A budget of MACs applies to groups of channels, and {layer.Name} is not one of "
                + $"them{(map.Unsupported.TryGetValue(layer.Name, out var reason) ? $" ({reason})" : "")}: exclude it from pruning, or "
                + "give it a strategy that fixes its sparsity.");
        if (layer.Layout.Shape.Count != 2 || layer.Layout.Shape[0] != group.Channels || !IsByChannel(layer.Weight))
            throw new ArgumentException(
                $"A budget of MACs applies to whole channels, but the weights of {layer.Name} are pruned one by one or without the "
                + "channels tied to them: choose the PerChannel strategy and set PdpOptions.Channels to the budget's map.");
        return group;
    }

    /// <summary>Whether all weights of a channel have the same magnitude in the competition.</summary>
    private static bool IsByChannel(Tensor weight)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return !weight.ne(weight.narrow(1, 0, 1)).any().cpu().ReadCpuBool(0);
    }

    /// <summary>
    /// The fewest channels that the minimum and the alignment allow; below the minimum where no aligned number is within the bounds.
    /// </summary>
    private static long LowestOf(AllocationLayer layer, long least)
    {
        var below = Aligned(layer, least);
        var above = below + ((layer.Layout.Shape[0] - below - 1) % layer.RoundTo) + 1;
        return below < least && above <= MostOf(layer) ? above : below;
    }

    private static long Aligned(AllocationLayer layer, long removed) =>
        Strategies.Counts.Aligned(layer.Layout.Shape[0], removed, layer.RoundTo);

    private static long MostOf(AllocationLayer layer) => Math.Min(layer.Maximum / WidthOf(layer), layer.Layout.Shape[0] - 1);

    private static long WidthOf(AllocationLayer layer) => layer.Layout.Elements / layer.Layout.Shape[0];

    /// <summary>The channels of a layer, the smallest first, without those that have to be removed or kept.</summary>
    private IEnumerable<(double Magnitude, int Layer)> OpenChannels(int i)
    {
        var layer = _layers[i];
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var magnitudes = layer.Weight.select(1, 0).abs().to_type(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        var unit = _isRelative && magnitudes.Sum() > 0 ? magnitudes.Average() : 1;
        return
        [
            .. magnitudes.Order().Skip((int)_least[i]).Take((int)(MostOf(layer) - _least[i])).Select(magnitude => (magnitude / unit, i)),
        ];
    }
}
