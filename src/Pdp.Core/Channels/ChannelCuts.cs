namespace Pdp.Channels;

/// <summary>What is left of the shapes of parameters when some channels of each group are cut out.</summary>
internal sealed class ChannelCuts
{
    private readonly Dictionary<(string Name, int Dimension), long> _lost = [];

    /// <summary>Adds up the indices that go.</summary>
    /// <param name="cuts">Groups of channels, each once, and how many channels of each go.</param>
    public ChannelCuts(IEnumerable<ChannelCut> cuts)
    {
        foreach (var (group, removed) in cuts)
        {
            // The same indices may play two parts, and go once.
            foreach (var slice in group.Slices.DistinctBy(slice => slice with { Role = ChannelRole.Filter }))
                _lost[(slice.Name, slice.Dimension)] = _lost.GetValueOrDefault((slice.Name, slice.Dimension)) + (slice.Block * removed);
        }
    }

    /// <summary>The shape of a parameter behind the cuts.</summary>
    public long[] ShapeLeft(string name, IReadOnlyList<long> shape) =>
        [.. shape.Select((size, dimension) => size - _lost.GetValueOrDefault((name, dimension)))];
}
