using Pdp.Internal;
using Pdp.Masking;

namespace Pdp.Allocation;

/// <summary>Warns of patterns along inputs, such as 2:4, that won't survive when channels are cut out.</summary>
internal static class CutPatterns
{
    /// <summary>The warning; null if no pattern is along inputs that are pruned by channels.</summary>
    public static string? Warning(ChannelMap? map, IReadOnlyList<PrunedLayer> layers)
    {
        var cut = layers.Where(layer => layer.Mask.Strategy is PerChannel).Select(layer => layer.Mask.Name)
            .ToHashSet(StringComparer.Ordinal);
        var inputs = (map?.Groups ?? []).Where(group => cut.Contains(group.Name)).SelectMany(group => group.Of(ChannelRole.Input))
            .ToLookup(slice => slice.Name, StringComparer.Ordinal);
        string[] patterns =
        [
            .. layers.Select(layer => layer.Mask).Where(mask => inputs[mask.Name].Any(slice => !IsWhole(mask, slice)))
                .Select(mask => $"'{mask.Name}' ({mask.Strategy.Name})"),
        ];
        return patterns.Length == 0
            ? null
            : $"{InvariantText.Listed(patterns)}: the inputs are pruned by channels, and Shrink() cuts them out of the pattern, which then "
                + "holds no longer. Prune these layers without a pattern, keep them dense, or don't shrink.";
    }

    /// <summary>Whether each channel owns whole groups of a weight's pattern, as after a flatten.</summary>
    private static bool IsWhole(PdpMask mask, ChannelSlice slice)
    {
        var shape = mask.Layout.Shape;
        var (length, perInput) = mask.Strategy switch
        {
            PerChannel or Unstructured => (1, 1),
            NofM pattern => (pattern.Of, 1),
            Block block => (block.Columns, mask.Layout.Elements / (shape[0] * shape[1])),
            _ => (0, 1),
        };
        return length != 0 && slice.Offset * perInput % length == 0 && slice.Block * perInput % length == 0;
    }
}
