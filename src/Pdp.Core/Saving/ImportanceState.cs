using System.Text.Json.Serialization;
using Pdp.Saving;

namespace Pdp;

/// <summary>What an importance has learned of one layer, in a <see cref="PrunerState"/>.</summary>
public sealed record ImportanceState
{
    /// <summary>The gradients that it was learned from.</summary>
    /// <value>In [1, 2^53].</value>
    public required long Gradients { get; init; }

    /// <summary>The sensitivity of each weight.</summary>
    /// <value>
    /// Four bytes a weight, of float64 weights eight, the least significant first; 8 bytes of a hash; in base64. In JSON it is an array of
    /// parts where it has more than 100,000,000 characters.
    /// </value>
    [JsonConverter(typeof(LongText))]
    public required string Sensitivity { get; init; }
}
