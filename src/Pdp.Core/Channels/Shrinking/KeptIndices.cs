using static TorchSharp.torch;

namespace Pdp.Channels.Shrinking;

/// <summary>Which indices of each parameter and buffer stay when some channels of each group are cut out.</summary>
internal sealed class KeptIndices
{
    private readonly ILookup<string, (ChannelSlice Slice, long[] Removed)> _cuts;

    /// <param name="kept">For each group the channels that stay, in order.</param>
    public KeptIndices(IEnumerable<(ChannelGroup Group, IReadOnlyList<long> Channels)> kept) =>
        _cuts = kept.SelectMany(pair => CutsOf(pair.Group, pair.Channels)).ToLookup(cut => cut.Slice.Name, StringComparer.Ordinal);

    /// <summary>The names of what is cut.</summary>
    public IEnumerable<string> Names => _cuts.Select(cuts => cuts.Key);

    /// <summary>The indices of a slice that belong to some channels.</summary>
    public static IEnumerable<long> Of(ChannelSlice slice, IEnumerable<long> channels) =>
        channels.SelectMany(channel => Enumerable.Range(0, (int)slice.Block).Select(i => slice.Offset + (channel * slice.Block) + i));

    /// <summary>A copy of what stays of a tensor of the shape that the parameter of a name has before the cut.</summary>
    public Tensor Select(string name, Tensor whole)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var part = whole.detach();
        foreach (var cuts in _cuts[name].GroupBy(cut => cut.Slice.Dimension))
            part = part.index_select(cuts.Key, tensor(Stays(whole.shape[cuts.Key], cuts), device: whole.device));
        return part.MoveToOuterDisposeScope();
    }

    private static IEnumerable<(ChannelSlice Slice, long[] Removed)> CutsOf(ChannelGroup group, IReadOnlyList<long> kept)
    {
        long[] removed = [.. Enumerable.Range(0, (int)group.Channels).Select(channel => (long)channel).Except(kept)];
        return group.Slices.Select(slice => (slice, removed));
    }

    /// <summary>The indices of a dimension that stay: all but those of removed channels.</summary>
    private static long[] Stays(long size, IEnumerable<(ChannelSlice Slice, long[] Removed)> cuts)
    {
        var stays = Enumerable.Repeat(true, (int)size).ToArray();
        foreach (var (slice, removed) in cuts)
            foreach (var index in Of(slice, removed))
                stays[index] = false;
        return [.. Enumerable.Range(0, (int)size).Where(index => stays[index]).Select(index => (long)index)];
    }
}
