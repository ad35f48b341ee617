using System.Text.Json;

namespace Pdp.Samples.Bert.Training;

/// <summary>What came out of a run: the last line that it prints, and report.json.</summary>
internal sealed record RunReport
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public required string Method { get; init; }

    public required string Strategy { get; init; }

    /// <summary>The fraction of the prunable weights that is zero.</summary>
    public required double Sparsity { get; init; }

    /// <summary>The accuracy of the committed network on each set of test texts, as fractions.</summary>
    public required IReadOnlyDictionary<string, double> Accuracy { get; init; }

    /// <summary>The same under soft masks, before the commit; null where there are none.</summary>
    public required IReadOnlyDictionary<string, double>? SoftAccuracy { get; init; }

    public required int Epochs { get; init; }

    public required int Seed { get; init; }

    public required double SecondsPerEpoch { get; init; }

    /// <summary>The time of the training steps over the same without what pruning adds.</summary>
    public required double? StepRatio { get; init; }

    /// <summary>The parameters that a method learns besides the weights.</summary>
    public required long ExtraParameters { get; init; }

    public required string Settings { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
