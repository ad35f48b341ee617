namespace Pdp.Channels.Counting;

/// <summary>The shapes of parameters after some channels of each group are removed.</summary>
internal sealed class ChannelCuts
{
    private readonly Dictionary<(string Name, int Dimension), long> _lost = [];

    /// <summary>Adds up the removed indices.</summary>
    /// <param name="cuts">Groups of channels, each once, and how many of their channels are removed.</param>
    public ChannelCuts(IEnumerable<ChannelCut> cuts)
    {
        foreach (var (group, removed) in cuts)
        {
            // The same indices may have two roles, but are removed once.
            foreach (var slice in group.Slices.DistinctBy(slice => slice with { Role = ChannelRole.Filter }))
                _lost[(slice.Name, slice.Dimension)] = _lost.GetValueOrDefault((slice.Name, slice.Dimension)) + (slice.Block * removed);
        }
    }

    /// <summary>The shape of a parameter after the cuts.</summary>
    public long[] ShapeLeft(string name, IReadOnlyList<long> shape) =>
        [.. shape.Select((size, dimension) => size - _lost.GetValueOrDefault((name, dimension)))];
}
