using System.Text.Json;
using System.Text.Json.Serialization;
using Pdp.Samples.Comparison;

namespace Pdp.Samples.Bert.Training;

/// <summary>The results of a run: the last line that it prints, and report.json.</summary>
internal sealed record RunReport : ComparedReport
{
    /// <summary>The accuracy of the committed network on the first set of test texts, as a fraction.</summary>
    public required double Accuracy { get; init; }

    /// <summary>The same under soft masks, before the commit; null where there are none.</summary>
    public required double? SoftAccuracy { get; init; }

    /// <summary>The accuracy of the committed network on each set of test texts.</summary>
    public required IReadOnlyDictionary<string, double> Accuracies { get; init; }

    /// <summary>The time of a call, dense and packed; empty where nothing was pruned, or nothing is to be timed.</summary>
    public IReadOnlyList<Latency> Latencies { get; init; } = [];

    [JsonIgnore]
    public override double Score => Accuracy;

    [JsonIgnore]
    public override double? SoftScore => SoftAccuracy;

    public string ToJson() => JsonSerializer.Serialize(this, Json.Options);
}
