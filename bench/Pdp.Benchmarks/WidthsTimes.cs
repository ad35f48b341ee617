using System.Runtime.Intrinsics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pdp.Benchmarks;

/// <summary>What a process of the widths benchmark says of one case; times in milliseconds.</summary>
/// <param name="Case">The case.</param>
/// <param name="Width">The bits of the process's vectors.</param>
/// <param name="First">The median of the first five passes.</param>
/// <param name="Steady">The median of the last quarter.</param>
/// <param name="Fastest">The fastest of that quarter, which tells on a busy machine.</param>
internal sealed record WidthsTimes(string Case, int Width, double First, double Steady, double Fastest)
{
    private const int FirstPasses = 5;

    /// <summary>The bits of the vectors that there are here.</summary>
    private static readonly int WidthHere = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    public static WidthsTimes Of(string name, double[] passes)
    {
        var last = passes[^(passes.Length / 4)..];
        return new(name, WidthHere, Alternation.Median(passes[..FirstPasses]), Alternation.Median(last), last.Min());
    }

    public static WidthsTimes Parse(string line) => JsonSerializer.Deserialize(line, WidthsJson.Default.WidthsTimes)!;

    public override string ToString() => JsonSerializer.Serialize(this, WidthsJson.Default.WidthsTimes);
}

/// <summary>Without reflection, as native programs have it.</summary>
[JsonSerializable(typeof(WidthsTimes))]
internal sealed partial class WidthsJson : JsonSerializerContext;
