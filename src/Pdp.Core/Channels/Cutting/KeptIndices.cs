using static TorchSharp.torch;

namespace Pdp.Channels.Cutting;

/// <summary>The indices of each parameter and buffer that are kept when channels are removed.</summary>
/// <remarks>
/// They are listed only for a tensor at hand, which bounds them: a record may hold groups of any size that don't concern it.
/// </remarks>
internal sealed class KeptIndices
{
    private readonly ILookup<string, (ChannelSlice Slice, ChannelGroup Group, IReadOnlyList<long> Kept)> _cuts;

    /// <param name="kept">The kept channels of each group, in ascending order.</param>
    public KeptIndices(IEnumerable<(ChannelGroup Group, IReadOnlyList<long> Channels)> kept) =>
        _cuts = kept.SelectMany(pair => pair.Group.Slices.Select(slice => (slice, pair.Group, pair.Channels)))
            .ToLookup(cut => cut.slice.Name, StringComparer.Ordinal);

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

    /// <summary>The kept indices of a dimension: all but those of removed channels.</summary>
    private static long[] Kept(long size, IEnumerable<(ChannelSlice Slice, ChannelGroup Group, IReadOnlyList<long> Kept)> cuts)
    {
        var isKept = Enumerable.Repeat(true, (int)size).ToArray();
        foreach (var (slice, group, kept) in cuts)
            foreach (var index in Of(slice, Removed(group, kept)))
                isKept[index] = false;
        return [.. Enumerable.Range(0, (int)size).Where(index => isKept[index]).Select(index => (long)index)];
    }

    private static IEnumerable<long> Removed(ChannelGroup group, IReadOnlyList<long> kept) =>
        Enumerable.Range(0, (int)group.Channels).Select(channel => (long)channel).Except(kept);
}
