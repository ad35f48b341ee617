namespace Pdp.Channels.Probing;

/// <summary>
/// The units in which channels can be removed: single channels, or whole groups of the grouped convolutions that they pass through.
/// </summary>
internal static class ChannelUnits
{
    /// <summary>Each channel is a unit.</summary>
    public static Dictionary<ProbedLayer, long> Single(IReadOnlyList<ProbedLayer> layers) =>
        layers.ToDictionary(layer => layer, layer => layer.Outputs);

    /// <summary>Joins channels that a grouped convolution produces or reads as a group.</summary>
    /// <param name="reads">The grouped convolutions that read the channels of each layer.</param>
    public static Dictionary<ProbedLayer, long> Joined(IReadOnlyDictionary<ProbedLayer, List<LayerRead>> reads)
    {
        var units = reads.Keys.ToDictionary(layer => layer, layer => layer.ConnectionGroups > 1 ? layer.ConnectionGroups : layer.Outputs);
        var ties = reads.SelectMany(pair => pair.Value.Where(read => read.IsInOrder)
            .Select(read => (Maker: pair.Key, Reader: read.Reader.Layer!))).ToArray();
        for (var isSettled = false; !isSettled;)
        {
            isSettled = true;
            foreach (var (maker, reader) in ties)
            {
                var both = Math.Min(units[maker], units[reader]);
                if (both == units[maker] && both == units[reader] || maker.Outputs % both != 0 || reader.Outputs % both != 0)
                    continue;
                (units[maker], units[reader]) = (both, both);
                isSettled = false;
            }
        }

        return units;
    }
}
