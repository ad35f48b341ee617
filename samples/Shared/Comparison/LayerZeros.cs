using System.Globalization;

namespace Pdp.Samples.Comparison;

/// <summary>A line of a run's layers.csv.</summary>
internal sealed record LayerZeros(string Layer, long Weights, long Zeros)
{
    /// <summary>The line's layer; null if it isn't one.</summary>
    public static LayerZeros? Parse(string line) =>
        line.Split(',') is [{ Length: > 0 } layer, _, var weights, _, var zeros, ..]
        && Count(weights) is { } all and > 0 && Count(zeros) is { } removed && removed <= all
            ? new(layer, all, removed)
            : null;

    /// <summary>The zeros of all layers over their weights.</summary>
    public static double Sparsity(IReadOnlyList<LayerZeros> layers) =>
        layers.Sum(layer => layer.Zeros) / (double)layers.Sum(layer => layer.Weights);

    private static long? Count(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;
}
