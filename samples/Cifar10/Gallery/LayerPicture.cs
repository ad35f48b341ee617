using Pdp.Samples.Comparison;
using Pdp.Samples.Drawing;

namespace Pdp.Samples.Cifar10.Gallery;

/// <summary>How much of each layer a run removed.</summary>
internal static class LayerPicture
{
    /// <exception cref="InvalidDataException">The folder has no run with layers.</exception>
    public static Chart Of(string run)
    {
        var path = Path.Combine(run, "layers.csv");
        LayerZeros[] layers = File.Exists(path) ? [.. File.ReadLines(path).Skip(1).Select(LayerZeros.Parse).OfType<LayerZeros>()] : [];
        if (layers.Length == 0)
        {
            throw new InvalidDataException($"'{path}' has no layers: give --run the folder of a finished run with --method pdp.");
        }

        return new Chart
        {
            Title = FormattableString.Invariant(
                $"One order of all magnitudes divides {100 * LayerZeros.Sparsity(layers):0.##} % among the layers"),
            X = Axis.Named("", [.. layers.Select(layer => layer.Layer.Replace(".weight", "", StringComparison.Ordinal))]),
            Y = Axis.Around("weights removed, %", [], 0, 100),
            Marks = [new Bars(null, 2, [.. layers.Select((layer, index) => new Point(index, 100.0 * layer.Zeros / layer.Weights))], 0.7)],
            Width = 640,
            Height = 330,
        };
    }
}
