using System.Text.Json;
using System.Text.Json.Serialization;
using Pdp.Samples.Comparison;

namespace Pdp.Samples.Gpt.Training;

/// <summary>The results of a run: the last line that it prints, and report.json.</summary>
internal sealed record RunReport : ComparedReport
{
    /// <summary>The perplexity of the committed network on the test text, or on the only one.</summary>
    public required double Perplexity { get; init; }

    /// <summary>The same under soft masks, before the commit; null where there are none.</summary>
    public required double? SoftPerplexity { get; init; }

    /// <summary>The perplexity of the committed network on each text.</summary>
    public required IReadOnlyDictionary<string, double> Perplexities { get; init; }

    /// <summary>What the text was cut into.</summary>
    public required string Tokens { get; init; }

    /// <summary>The weights of the model, those of embedding and output layer once.</summary>
    public required long Weights { get; init; }

    /// <summary>The text that the network wrote; null if none was asked for.</summary>
    public required string? Text { get; init; }

    [JsonIgnore]
    public override double Score => Perplexity;

    [JsonIgnore]
    public override double? SoftScore => SoftPerplexity;

    public string ToJson() => JsonSerializer.Serialize(this, Json.Options);
}
