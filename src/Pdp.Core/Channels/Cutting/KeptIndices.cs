using static TorchSharp.torch;

namespace Pdp.Channels.Cutting;

/// <summary>The indices of each parameter and buffer that are kept when channels are removed.</summary>
internal sealed class KeptIndices
{
    private readonly ILookup<string, (ChannelSlice Slice, long[] Removed)> _cuts;

    /// <param name="kept">The kept channels of each group, in ascending order.</param>
    public KeptIndices(IEnumerable<(ChannelGroup Group, IReadOnlyList<long> Channels)> kept) =>
        _cuts = kept.SelectMany(pair => CutsOf(pair.Group, pair.Channels)).ToLookup(cut => cut.Slice.Name, StringComparer.Ordinal);

    /// <summary>The names of the parameters and buffers that are cut.</summary>
    public IEnumerable<string> Names => _cuts.Select(cuts => cuts.Key);

    /// <summary>The indices of a slice that belong to some channels.</summary>
    public static IEnumerable<long> Of(ChannelSlice slice, IEnumerable<long> channels) =>
        channels.SelectMany(channel => Enumerable.Range(0, (int)slice.Block).Select(i => slice.Offset + (channel * slice.Block) + i));

    /// <summary>A copy of the kept part of a tensor that has the original shape of the named parameter.</summary>
    public Tensor Select(string name, Tensor whole)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var part = whole.detach();
        foreach (var cuts in _cuts[name].GroupBy(cut => cut.Slice.Dimension))
            part = part.index_select(cuts.Key, tensor(Kept(whole.shape[cuts.Key], cuts), device: whole.device));
        return part.MoveToOuterDisposeScope();
    }

    private static IEnumerable<(ChannelSlice Slice, long[] Removed)> CutsOf(ChannelGroup group, IReadOnlyList<long> kept)
    {
        long[] removed = [.. Enumerable.Range(0, (int)group.Channels).Select(channel => (long)channel).Except(kept)];
        return group.Slices.Select(slice => (slice, removed));
    }

    /// <summary>The kept indices of a dimension: all but those of removed channels.</summary>
    private static long[] Kept(long size, IEnumerable<(ChannelSlice Slice, long[] Removed)> cuts)
    {
        var isKept = Enumerable.Repeat(true, (int)size).ToArray();
        foreach (var (slice, removed) in cuts)
            foreach (var index in Of(slice, removed))
                isKept[index] = false;
        return [.. Enumerable.Range(0, (int)size).Where(index => isKept[index]).Select(index => (long)index)];
    }
}
