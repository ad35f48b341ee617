using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pdp.Tests.Support;

/// <summary>A reference case of <c>shared/golden/pdp.json</c>, made by an independent implementation in float64.</summary>
internal sealed record GoldenCase(
    string Name,
    string Kind,
    long[] Shape,
    [property: JsonPropertyName("temperature")] double Tau,
    double Sparsity,
    int N,
    int M,
    string? Norm,
    double[] Weight,
    [property: JsonPropertyName("upstream_gradient")] double[] UpstreamGradient,
    double[] Threshold,
    [property: JsonPropertyName("soft_mask")] double[] SoftMask,
    [property: JsonPropertyName("masked_weight")] double[] MaskedWeight,
    [property: JsonPropertyName("weight_gradient")] double[] WeightGradient)
{
    /// <summary>Masks below this are exact zeros here and tiny numbers in the file.</summary>
    private const double Cut = 1e-12;

    private static readonly Lazy<Dictionary<string, GoldenCase>> Cases = new(Read);

    /// <summary>The names of all cases, known without the file.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "unstructured-0", "unstructured-1", "unstructured-2", "unstructured-3", "unstructured-4", "unstructured-5",
        "nm-2-4-0", "nm-2-4-1", "nm-1-4-2", "nm-4-8-3", "nm-2-8-4", "nm-2-4-5",
        "channel-rms-0", "channel-rms-1", "channel-rms-2", "channel-l2-3", "channel-l2-4",
    ];

    public static IReadOnlyCollection<string> NamesInFile => [.. Cases.Value.Keys];

    public IMaskStrategy Strategy => Kind switch
    {
        "unstructured" => new Unstructured(),
        "nm" => NofM.Keep(N, of: M),
        "channel" => new PerChannel { Score = Norm == "rms" ? ScoreNorm.Rms : ScoreNorm.L2 },
        _ => throw new InvalidOperationException($"Unknown kind {Kind}."),
    };

    public WeightLayout Layout => new(Shape);

    /// <summary>Whether each weight's mask is large enough not to be cut to zero.</summary>
    public bool[] IsUncut => [.. SoftMask.Select(mask => mask >= Cut)];

    public static GoldenCase Named(string name) => Cases.Value[name];

    /// <summary>The mask at its target.</summary>
    public PdpMask Mask()
    {
        var (_, members) = Strategy.GroupingOf(Layout);
        var removed = Kind == "nm" ? M - N : (long)Math.Floor((Sparsity * members) + 1e-9);
        return Making.Mask(Strategy, Layout, removed, Temperature.Absolute(Tau));
    }

    /// <summary>Values as the library must give them: exact zeros where the mask is cut.</summary>
    public double[] Cutting(double[] values) => [.. values.Zip(IsUncut, (value, uncut) => uncut ? value : 0)];

    private static Dictionary<string, GoldenCase> Read()
    {
        using var file = File.OpenRead(Path.Combine(SharedFolder.Location!, "golden", "pdp.json"));
        using var document = JsonDocument.Parse(file);
        var cases = document.RootElement.GetProperty("cases").Deserialize<GoldenCase[]>(JsonSerializerOptions.Web)!;
        return cases.ToDictionary(golden => golden.Name);
    }
}
