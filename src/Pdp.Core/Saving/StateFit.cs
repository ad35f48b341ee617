using Pdp.Internal;
using Pdp.Masking;
using Pdp.Scheduling;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Saving;

/// <summary>Checks that a state belongs to the same run on the same model, before anything is changed.</summary>
internal static class StateFit
{
    /// <summary>The largest number of differences listed; the others are only counted.</summary>
    private const int MostDifferences = 8;

    /// <summary>Checks that the settings that determine targets and masks are the same now.</summary>
    /// <param name="state">The state.</param>
    /// <param name="settings">The settings of the whole run now, with the epochs of the run as it began.</param>
    /// <param name="layers">The same of each layer.</param>
    /// <param name="epochs">The length of the run now.</param>
    /// <param name="allowLongerRun">Whether the run may be longer now.</param>
    /// <exception cref="ArgumentException">Something is; the message names it.</exception>
    public static void RequireSameRun(
        PrunerState state,
        IReadOnlyDictionary<string, string> settings,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> layers,
        double epochs,
        bool allowLongerRun)
    {
        string[] differences =
        [
            .. EpochsDifference(state.Epochs, epochs, allowLongerRun),
            .. SettingsDifference.Of(state.Settings, settings),
            .. SettingsDifference.Of(state.Layers, layers),
        ];
        var told = string.Join("; ", differences.Take(MostDifferences));
        if (differences.Length > 0)
            throw new ArgumentException(
                "The state belongs to other options or another model. "
                + $"{told}{Others(differences.Length - MostDifferences)}.", nameof(state));
    }

    /// <summary>Restores the clock from a state.</summary>
    /// <exception cref="ArgumentException">The state holds values that no clock could have.</exception>
    public static PruningClock Clock(PrunerState state, Timetable times)
    {
        var clock = new PruningClock(times,
            new(state.Epoch, state.Interval, state.IsIntervalGiven, state.StartedAt, state.IsStartForced, state.ReportsAboveLevel));
        StateChecks.Require(times.AutomaticStart is not null || (state.StartedAt is null && state.ReportsAboveLevel == 0),
            "it has an automatic start, and the options have none");
        StateChecks.Require(times.AutomaticStart is null || state.StartedAt is not null || state.Targets is null,
            "it has targets, though pruning has not begun");
        StateChecks.Require(!clock.HasStarted || state.Targets is not null, "it has no targets, though pruning has begun");
        return clock;
    }

    /// <summary>The targets, or none before pruning begins.</summary>
    /// <exception cref="ArgumentException">One is out of its range.</exception>
    public static long[] Targets(PrunerState state, IReadOnlyList<PdpMask> masks)
    {
        long[] targets = [.. masks.Select(mask => state.Targets?[mask.Name] ?? 0)];
        foreach (var (mask, target) in masks.Zip(targets))
            StateChecks.Require(target < mask.Members, $"the target of '{mask.Name}' is {target} and must be in [0, {mask.Members})");
        return targets;
    }

    /// <summary>The final masks, <c>[groups, members]</c> on the CPU, the caller's; null for layers that lose nothing.</summary>
    /// <exception cref="ArgumentException">One is missing or has changed since it was saved.</exception>
    public static Tensor?[] Kept(PrunerState state, IReadOnlyList<PdpMask> masks, long[] targets)
    {
        using var scope = NewDisposeScope();
        Tensor?[] kept = state.Masks is { } packed
            ? [.. masks.Zip(targets, (mask, target) => Kept(packed.GetValueOrDefault(mask.Name), mask, target))]
            : new Tensor?[masks.Count];
        foreach (var tensor in kept)
            tensor?.MoveToOuterDisposeScope();
        return kept;
    }

    /// <summary>What the importance has learned so far; null if there is none or nothing was learned.</summary>
    public static Dictionary<string, ImportanceState>? LearnedImportance(IEnumerable<PdpMask> masks)
    {
        var learned = masks.Where(mask => mask.Importance is { Sensitivity: not null })
            .ToDictionary(mask => mask.Name,
                mask => new ImportanceState
                {
                    Gradients = mask.Importance!.Gradients,
                    Sensitivity = PackedNumbers.Pack(mask.Importance.Sensitivity!)
                });
        return learned.Count > 0 ? learned : null;
    }

    /// <summary>What was learned of each layer's importance, on the CPU, the caller's; null for nothing.</summary>
    /// <exception cref="ArgumentException">It is missing, or is not what it was when it was saved.</exception>
    public static Tensor?[] Sensitivities(PrunerState state, IReadOnlyList<PrunedLayer> layers)
    {
        StateChecks.Require(layers[0].Mask.Importance is not null || state.Importance is null,
            "it has learned an importance that its settings don't have");
        StateChecks.Require(layers[0].Mask.Importance is null || state.Importance is not null || state.Targets is null,
            "it has targets, but has learned no importance");
        return [.. layers.Select(layer => state.Importance?.GetValueOrDefault(layer.Mask.Name) is { } learned
            ? Sensitivity(learned, layer)
            : null)];
    }

    /// <summary>Checks that the model has the weights of the state.</summary>
    /// <exception cref="ArgumentException">Its weights differ.</exception>
    public static void RequireWeights(PrunerState state, IEnumerable<PrunedLayer> layers)
    {
        if (state.Weights is not { } saved)
            return;

        string[] others = [.. layers.Where(layer => HashOf(layer) != saved[layer.Mask.Name]).Select(NameOf)];
        if (others.Length > 0)
            throw new ArgumentException(
                $"The model's weights are not those that were saved with this state: {InvariantText.Listed(others)} "
                + $"{(others.Length == 1 ? "differs" : "differ")}. Load the weights first, then call Restore(state); for weights that were "
                + $"rounded or edited on purpose, call Restore(state with {{ Weights = null }}).", nameof(state));
    }

    /// <summary>The final masks of the layers that have lost weights, by name.</summary>
    public static Dictionary<string, string> PackedMasks(IEnumerable<PrunedLayer> layers) =>
        layers.Where(layer => layer.Group.Frozen is not null)
            .ToDictionary(layer => layer.Mask.Name, layer => PackedMask.Pack(layer.Group.Frozen!));

    /// <summary>The hash of a layer's weights, and of all parameters that are masked along with them.</summary>
    public static string HashOf(PrunedLayer layer) => WeightHash.Of(layer.Group.Parameters);

    private static string NameOf(PrunedLayer layer) =>
        layer.Group.Parameters.Count == 1 ? layer.Mask.Name : $"{layer.Mask.Name} or a parameter that is masked along with it";

    private static string Others(int differences) => differences > 0 ? $"; and {differences} more" : "";

    private static Tensor Sensitivity(ImportanceState learned, PrunedLayer layer) =>
        PackedNumbers.Unpack(learned.Sensitivity, layer.Mask.Layout.Elements, Precision.Of(layer.Group.Type))
            ?? throw StateChecks.Damaged(
                $"the importance of '{layer.Mask.Name}' is not what was saved, a number for each of {layer.Mask.Layout.Elements} weights");

    private static IEnumerable<string> EpochsDifference(double saved, double now, bool allowLongerRun)
    {
        if (saved == now || (allowLongerRun && now > saved))
            yield break;
        yield return $"Epochs was {InvariantText.Of(saved)} when the state was saved, and is {InvariantText.Of(now)} "
            + $"now{(now > saved ? " (for a longer run, call Restore(state, allowLongerRun: true))" : "")}";
    }

    private static Tensor? Kept(string? packed, PdpMask mask, long target)
    {
        StateChecks.Require((packed is null) == (target == 0),
            $"'{mask.Name}' has a mask but removes nothing, or removes something but has no mask");
        if (packed is null)
            return null;

        var kept = PackedMask.Unpack(packed, mask.Groups, mask.Members)
            ?? throw StateChecks.Damaged(
                $"the mask of '{mask.Name}' doesn't match its hash or doesn't have one bit for each of {mask.Groups} times {mask.Members} "
                    + "members");
        using Scalar count = (mask.Members - target).ToScalar();
        StateChecks.Require(kept.sum(1).eq(count).all().ReadCpuBool(0),
            $"the mask of '{mask.Name}' doesn't keep {mask.Members - target} of {mask.Members} members in each group");
        return kept;
    }
}
