using Pdp.Channels.Probing.Running;

namespace Pdp.Channels.Probing.Reading;

/// <summary>
/// The units in which channels can be removed: single channels, or whole groups of the grouped convolutions that they pass through.
/// </summary>
internal static class ChannelUnits
{
    /// <summary>Each channel is a unit, except where a layout is given.</summary>
    public static Dictionary<ProbedLayer, ChannelLayout> Single(
        IReadOnlyList<ProbedLayer> layers, IReadOnlyDictionary<ProbedLayer, ChannelLayout> given) =>
        layers.ToDictionary(layer => layer, layer => given.TryGetValue(layer, out var layout) ? layout : new(layer.Outputs));

    /// <summary>Joins channels that a grouped convolution produces or reads as a group.</summary>
    /// <param name="reads">The grouped convolutions that read the channels of each layer.</param>
    /// <param name="given">Layouts that stay as they are.</param>
    public static Dictionary<ProbedLayer, ChannelLayout> Joined(
        IReadOnlyDictionary<ProbedLayer, List<LayerRead>> reads, IReadOnlyDictionary<ProbedLayer, ChannelLayout> given)
    {
        var units = reads.Keys.ToDictionary(layer => layer, layer => layer.ConnectionGroups > 1 ? layer.ConnectionGroups : layer.Outputs);
        var ties = reads.SelectMany(pair => pair.Value.Where(read => read.IsInOrder)
                .Select(read => (Maker: pair.Key, Reader: read.Reader.Layer!)))
            .Where(tie => !given.ContainsKey(tie.Maker) && !given.ContainsKey(tie.Reader)).ToArray();
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

        return units.ToDictionary(pair => pair.Key, pair => given.TryGetValue(pair.Key, out var layout) ? layout : new(pair.Value));
    }
}
