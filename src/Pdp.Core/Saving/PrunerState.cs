using System.Text.Json;
using System.Text.Json.Serialization;
using Pdp.Internal;
using Pdp.Saving;

namespace Pdp;

/// <summary>
/// The state of a pruner that must survive a restart: its progress, its targets and, after commit, which weights it removed.
/// </summary>
/// <remarks>
/// Save it with the weights, the optimizer's state and the position in the data, all taken at the same moment. As JSON it takes a few
/// hundred bytes a layer, and after commit 1.33 bits more for each weight, or for each channel, of the layers that have lost some. Under an
/// <see cref="PdpOptions.Importance"/> other than magnitude it takes 5.33 bytes more for each pruned weight. Immutable.
/// </remarks>
public sealed record PrunerState
{
    /// <summary>
    /// The version that this library writes and reads; a new member raises it. Version 1 held neither masks nor settings.
    /// </summary>
    internal const int CurrentVersion = 2;

    /// <summary>The format's version.</summary>
    public required int Version { get; init; }

    /// <summary>Descriptions of the settings of the whole run that determine targets and masks, by name.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>The same for each layer, by the parameter's name: its shape, type, strategy, temperature and bounds.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Layers { get; init; }

    /// <summary>The length of the run, <see cref="PdpOptions.Epochs"/>.</summary>
    /// <value>In epochs, in (0, ∞).</value>
    public required double Epochs { get; init; }

    /// <summary>The original length of the run, from which default schedules and temperatures are derived.</summary>
    /// <value>In epochs, in (0, <see cref="Epochs"/>]; smaller if the run was extended.</value>
    public required double ScheduledEpochs { get; init; }

    /// <summary>The epoch of the last <c>BeginEpoch</c>; null before the first.</summary>
    /// <value>In [0, 2^31).</value>
    public required double? Epoch { get; init; }

    /// <summary>The epoch at which the automatic start began pruning; null if it has not, or if there is none.</summary>
    /// <value>In [0, <see cref="Epoch"/>].</value>
    public required double? StartedAt { get; init; }

    /// <summary>The length of the clock's last step; null before the second.</summary>
    /// <value>In epochs, in (0, 1].</value>
    public required double? Interval { get; init; }

    /// <summary>
    /// Whether <see cref="Interval"/> was given by <c>BeginEpoch(epoch, step, steps)</c> rather than inferred from two calls.
    /// </summary>
    public required bool IsIntervalGiven { get; init; }

    /// <summary>Whether the automatic start began pruning because time was running out before its metric was met.</summary>
    public required bool IsStartForced { get; init; }

    /// <summary>The number of mask scopes in which gradients were recorded since pruning began.</summary>
    /// <value>In [0, 2^53].</value>
    public required long TrainingScopes { get; init; }

    /// <summary>The number of consecutive reports above the automatic start's level.</summary>
    /// <value>At least 0.</value>
    public required int ReportsAboveLevel { get; init; }

    /// <summary>
    /// The number of members to be removed from each group of each layer, by the parameter's name; null before pruning begins.
    /// </summary>
    public required IReadOnlyDictionary<string, long>? Targets { get; init; }

    /// <summary>Whether the zeros are final.</summary>
    public required bool IsCommitted { get; init; }

    /// <summary>The final mask of each layer that has lost weights, by the parameter's name; null before commit.</summary>
    /// <value>One bit per competitor, group by group, 1 if it is kept, from the lowest bit on; then 8 bytes of a hash; in base64.</value>
    public required IReadOnlyDictionary<string, string>? Masks { get; init; }

    /// <summary>
    /// A hash of each layer's weights and of the parameters masked along with them, by the parameter's name; reveals weights that were not
    /// loaded.
    /// </summary>
    /// <value>Null accepts whatever weights the model has, for example after rounding: <c>state with { Weights = null }</c>.</value>
    public required IReadOnlyDictionary<string, string>? Weights { get; init; }

    /// <summary>
    /// What the <see cref="PdpOptions.Importance"/> has learned of each layer, by the parameter's name; null where there is none.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, ImportanceState>? Importance { get; init; }

    /// <summary>Writes the state as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PrunerStateJson.Strict.PrunerState);

    /// <summary>Reads a state.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">
    /// It is damaged, is not the JSON of a state, or has a version that this library doesn't know.
    /// </exception>
    public static PrunerState FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        json = StrictJson.WithoutMark(json);
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
            throw new ArgumentException($"The text is not a pruner state, or is damaged: {fault.Message}", nameof(json), fault);
        }
    }

    /// <summary>The version in a JSON text; this library's if there is none.</summary>
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
