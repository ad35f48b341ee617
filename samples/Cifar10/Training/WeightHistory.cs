using System.Text.Json;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>Histograms of some weights over the epochs, with the threshold and the temperature of their masks, for pictures.</summary>
internal sealed class WeightHistory(ResNet20 model, PdpPruner pruner)
{
    private const int Bins = 80;

    private readonly Dictionary<string, Parameter> _parameters = model.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter, StringComparer.Ordinal);
    private readonly List<WeightSnapshot> _snapshots = [];

    /// <summary>The first, the middle and the last pruned weight.</summary>
    private IEnumerable<PdpMask> Chosen => new[] { 0, pruner.Masks.Count / 2, pruner.Masks.Count - 1 }.Distinct().Select(index => pruner.Masks[index]);

    /// <summary>Takes the weights of now.</summary>
    public void Take(double epoch)
    {
        var layers = pruner.Report().Layers.ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        foreach (var mask in Chosen)
        {
            if (_parameters.TryGetValue(mask.Name, out var weight))
            {
                var (range, counts) = Histogram(weight);
                _snapshots.Add(new(mask.Name, epoch, range, counts, layers[mask.Name].Threshold, layers[mask.Name].Temperature));
            }
        }
    }

    public string ToJson() => JsonSerializer.Serialize(_snapshots, Json.Options);

    private static (double Range, long[] Counts) Histogram(Tensor weight)
    {
        var values = weight.bytes;
        var numbers = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(values);
        var range = 0f;
        foreach (var number in numbers)
        {
            range = Math.Max(range, Math.Abs(number));
        }

        var counts = new long[Bins];
        foreach (var number in numbers)
        {
            counts[Math.Clamp((int)((number + range) / (2 * range) * Bins), 0, Bins - 1)]++;
        }

        return (range, counts);
    }
}
