using System.Text.Json;
using System.Text.Json.Serialization;
using Pdp.Saving;

namespace Pdp;

/// <summary>What a pruner has to remember across a restart: where the run is, what it removes, and after commit which weights.</summary>
/// <remarks>
/// Save it with the weights, the optimizer's state and the position in the data, all taken at the same moment. As JSON it takes a few hundred
/// bytes a layer, and after commit 1.33 bits more for each weight, or for each channel, of the layers that have lost some.
/// Under an <see cref="PdpOptions.Importance"/> other than magnitude it takes 5.33 bytes more for each pruned weight. Immutable.
/// </remarks>
public sealed record PrunerState
{
    /// <summary>The version that this library writes and reads; a new member raises it. Version 1 held neither masks nor settings.</summary>
    internal const int CurrentVersion = 2;

    /// <summary>The format's version.</summary>
    public required int Version { get; init; }

    /// <summary>The settings of the whole run that decide about targets and masks, in words, by name.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>The same for each layer, by the parameter's name: its shape, type, strategy, temperature and bounds.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Layers { get; init; }

    /// <summary>The length of the run, as <see cref="PdpOptions.Epochs"/> has it.</summary>
    /// <value>In epochs, in (0, ∞).</value>
    public required double Epochs { get; init; }

    /// <summary>The length of the run as it began, from which default schedules and temperatures follow.</summary>
    /// <value>In epochs, in (0, <see cref="Epochs"/>]; less than that if the run was extended.</value>
    public required double ScheduledEpochs { get; init; }

    /// <summary>The epoch of the last <c>BeginEpoch</c>; null before the first.</summary>
    /// <value>In [0, 2^31).</value>
    public required double? Epoch { get; init; }

    /// <summary>The epoch at which the automatic start began pruning; null if it has not, or there is none.</summary>
    /// <value>In [0, <see cref="Epoch"/>].</value>
    public required double? StartedAt { get; init; }

    /// <summary>The length of the clock's last step; null before the second.</summary>
    /// <value>In epochs, in (0, 1].</value>
    public required double? Interval { get; init; }

    /// <summary>Whether <see cref="Interval"/> was given, by <c>BeginEpoch(epoch, step, steps)</c>, and not guessed from two calls.</summary>
    public required bool IsIntervalGiven { get; init; }

    /// <summary>Whether the automatic start began pruning for want of time, as its metric was not met.</summary>
    public required bool IsStartForced { get; init; }

    /// <summary>The mask scopes in which gradients were recorded since pruning began.</summary>
    /// <value>In [0, 2^53].</value>
    public required long TrainingScopes { get; init; }

    /// <summary>The reports in a row that were above the automatic start's level.</summary>
    /// <value>At least 0.</value>
    public required int ReportsAboveLevel { get; init; }

    /// <summary>The members to be removed in each group of each layer, by the parameter's name; null before pruning begins.</summary>
    public required IReadOnlyDictionary<string, long>? Targets { get; init; }

    /// <summary>Whether the zeros are final.</summary>
    public required bool IsCommitted { get; init; }

    /// <summary>The final mask of each layer that has lost weights, by the parameter's name; null before commit.</summary>
    /// <value>A bit for each competitor, group by group, 1 where it is kept, the first in the lowest bit; 8 bytes of a hash; in base64.</value>
    public required IReadOnlyDictionary<string, string>? Masks { get; init; }

    /// <summary>A hash of each layer's weights and of what is masked along, by the parameter's name; it tells if they were not loaded.</summary>
    /// <value>Null takes whatever weights the model has, as for those that were rounded since: <c>state with { Weights = null }</c>.</value>
    public required IReadOnlyDictionary<string, string>? Weights { get; init; }

    /// <summary>What the <see cref="PdpOptions.Importance"/> has learned of each layer, by the parameter's name; null where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, ImportanceState>? Importance { get; init; }

    /// <summary>The state as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PrunerStateJson.Strict.PrunerState);

    /// <summary>Reads a state.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">It is damaged, not the JSON of a state, or of a version that this library doesn't know.</exception>
    public static PrunerState FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        // The byte order mark with which some editors and tools begin a file.
        json = json.StartsWith('\uFEFF') ? json[1..] : json;
        try
        {
            var state = JsonSerializer.Deserialize(json, PrunerStateJson.Strict.PrunerState)
                ?? throw new ArgumentException("The pruner state is the JSON null.", nameof(json));
            StateChecks.RequireSound(state);
            return state;
        }
        catch (JsonException fault)
        {
            StateChecks.RequireVersion(VersionOf(json));
            throw new ArgumentException($"The pruner state is damaged, or something else: {fault.Message}", nameof(json), fault);
        }
    }

    /// <summary>The version that a JSON text claims; this library's where it has none.</summary>
    private static int VersionOf(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("version", out var version)
                && version is { ValueKind: JsonValueKind.Number }
                && version.TryGetDouble(out var number) && number == (int)number
                    ? (int)number
                    : CurrentVersion;
        }
        catch (JsonException)
        {
            return CurrentVersion;
        }
    }
}
