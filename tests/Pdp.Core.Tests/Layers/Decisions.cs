using Pdp.Layers;

namespace Pdp.Tests.Layers;

/// <summary>What a selection decided, by name.</summary>
internal static class Decisions
{
    public static IEnumerable<string> Pruned(IEnumerable<LayerDecision> layers) =>
        layers.Where(layer => layer.DenseReason is null).Select(layer => layer.Info.Name);

    public static string? ReasonOf(IEnumerable<LayerDecision> layers, string name) =>
        layers.Single(layer => layer.Info.Name == name).DenseReason;
}
