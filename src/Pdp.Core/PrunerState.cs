using System.Text.Json;
using Pdp.Reporting;

namespace Pdp;

/// <summary>What a pruner has to remember across a restart; small, as masks are computed from the weights.</summary>
/// <remarks>Save it with the weights, the optimizer's state and the position in the data, all taken at the same moment.</remarks>
public sealed record PrunerState
{
    /// <summary>The format's version that this library writes.</summary>
    internal const int CurrentVersion = 1;

    /// <summary>The format's version.</summary>
    public required int Version { get; init; }

    /// <summary>Tells the options and the model apart from others: a state fits only where it is the same.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The options in words, for people.</summary>
    public required string Options { get; init; }

    /// <summary>The epoch of the last <c>BeginEpoch</c>; null before the first.</summary>
    public required double? Epoch { get; init; }

    /// <summary>The epoch at which the automatic start began pruning; null if it has not, or there is none.</summary>
    public required double? StartedAt { get; init; }

    /// <summary>The length of the last step of the clock, in epochs, in (0, 1]; null before the second.</summary>
    public double? Interval { get; init; }

    /// <summary>Whether the automatic start began pruning for want of time, as its metric was not met.</summary>
    public bool IsStartForced { get; init; }

    /// <summary>The mask scopes in which gradients were recorded since pruning began.</summary>
    public long TrainingScopes { get; init; }

    /// <summary>The reports in a row that were above the automatic start's level.</summary>
    public required int ReportsAboveLevel { get; init; }

    /// <summary>The members to be removed in each group of each layer, by the parameter's name; null before pruning begins.</summary>
    public required IReadOnlyDictionary<string, long>? Targets { get; init; }

    /// <summary>Whether the zeros are final.</summary>
    public required bool IsCommitted { get; init; }

    /// <summary>The state as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Readable.PrunerState);

    /// <summary>Reads a state.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">It is not the JSON of a state, or of a version that this library doesn't know.</exception>
    public static PrunerState FromJson(string json)
    {
        try
        {
            var state = JsonSerializer.Deserialize(json, ReportJson.Readable.PrunerState)
                ?? throw new ArgumentException("The pruner state is the JSON null.", nameof(json));
            return state.Version == CurrentVersion
                ? state
                : throw new ArgumentException($"The pruner state has version {state.Version}; this library reads version {CurrentVersion}.", nameof(json));
        }
        catch (JsonException fault)
        {
            throw new ArgumentException($"Not a pruner state: {fault.Message}", nameof(json), fault);
        }
    }

    /// <summary>Checks that the state is of the same options and the same model.</summary>
    internal void RequireFit(string fingerprint, string options, IReadOnlyList<PdpMask> masks)
    {
        if (Fingerprint != fingerprint)
            throw new ArgumentException($"The state is of other options or of another model. It was saved with {Options}; this pruner has {options} and prunes {string.Join(", ", masks.Select(mask => mask.Name))}.");
        if (Targets is { } targets && !masks.All(mask => targets.TryGetValue(mask.Name, out var target) && target >= 0 && target < mask.Members))
            throw new ArgumentException("The state is damaged: its targets don't fit the layers that it was saved for.");
    }
}
