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
            .Select(slice => slice.Name).ToHashSet(StringComparer.Ordinal);
        string[] patterns =
        [
            .. layers.Select(layer => layer.Mask)
                .Where(mask => mask.Strategy is not (PerChannel or Unstructured or Block { Columns: 1 }) && inputs.Contains(mask.Name))
                .Select(mask => $"'{mask.Name}' ({mask.Strategy.Name})"),
        ];
        return patterns.Length == 0
            ? null
            : $"{InvariantText.Listed(patterns)}: the inputs are pruned by channels, and Shrink() cuts them out of the pattern, which then "
                + "holds no longer. Prune these layers without a pattern, keep them dense, or don't shrink.";
    }
}
