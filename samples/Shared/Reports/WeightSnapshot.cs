using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace Pdp.Samples.Reports;

/// <summary>
/// A weight's histogram in equal bins over [−range, range], and its mask's threshold and temperature, null where there are none.
/// </summary>
internal sealed record WeightSnapshot(
    string Layer, double Epoch, double Range, IReadOnlyList<long> Counts, double? Threshold, double? Temperature)
{
    private const int Bins = 80;

    /// <summary>The width of a bin.</summary>
    [JsonIgnore]
    public double BinWidth => 2 * Range / Counts.Count;

    /// <summary>Takes the current values; those that are not finite are not counted.</summary>
    public static WeightSnapshot Of(string layer, Tensor weight, double epoch, double? threshold, double? temperature)
    {
        using var scope = NewDisposeScope();
        using var values = weight.detach().to(ScalarType.Float32).cpu().contiguous();
        var numbers = MemoryMarshal.Cast<byte, float>(values.bytes);
        var range = 0f;
        foreach (var number in numbers)
        {
            range = float.IsFinite(number) ? Math.Max(range, Math.Abs(number)) : range;
        }

        var counts = new long[Bins];
        foreach (var number in numbers)
        {
            if (float.IsFinite(number) && range > 0)
            {
                counts[Math.Clamp((int)((number + range) / (2 * range) * Bins), 0, Bins - 1)]++;
            }
        }

        return new(layer, epoch, range, counts, threshold, temperature);
    }
}
