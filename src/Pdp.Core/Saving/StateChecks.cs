using Pdp.Internal;
using Pdp.Scheduling;
using Pdp.Watching;

namespace Pdp.Saving;

/// <summary>Checks a state as far as possible without the model, as it may come from anywhere.</summary>
internal static class StateChecks
{
    public static void RequireVersion(int version)
    {
        if (version != PrunerState.CurrentVersion)
            throw new ArgumentException(
                $"The pruner state has version {version}; this library reads version {PrunerState.CurrentVersion}: continue with the "
                + "version of the library that wrote it, or start the run again.");
    }

    /// <summary>Checks each member and that they are consistent.</summary>
    /// <exception cref="ArgumentException">One is out of its range, missing, or contradicts another.</exception>
    public static void RequireSound(PrunerState state)
    {
        RequireVersion(state.Version);
        RequireClock(state);
        RequireNames(state);
        RequireImportance(state);
        Require(state.IsCommitted == state.Masks is not null, "it has masks without a commit, or a commit without masks");
        Require(state.Targets is not null || !state.IsCommitted, "it is committed, but has no targets");
        Require(state.Epoch is not null || state.Targets is null, "it has targets, but no epoch");
    }

    /// <summary>The exception for a state that can't have been saved like this.</summary>
    public static ArgumentException Damaged(string how) => new($"The pruner state is damaged: {how}.");

    public static void Require(bool condition, string otherwise)
    {
        if (!condition)
            throw Damaged(otherwise);
    }

    private static void RequireClock(PrunerState state)
    {
        RequireIn(state.Epochs is > 0 and < double.PositiveInfinity, "epochs", state.Epochs, "(0, ∞)");
        RequireIn(state.ScheduledEpochs > 0 && state.ScheduledEpochs <= state.Epochs, "scheduledEpochs", state.ScheduledEpochs,
            "(0, epochs]");
        if (state.Epoch is { } epoch)
            RequireIn(epoch is >= 0 and < PruningClock.EpochLimit, "epoch", epoch, "[0, 2^31)");
        if (state.StartedAt is { } started)
            RequireIn(started >= 0 && started <= state.Epoch, "startedAt", started, "[0, epoch]");
        if (state.Interval is { } interval)
            RequireIn(interval is > 0 and <= 1, "interval", interval, "(0, 1]");
        Require(state.StartedAt is not null || !state.IsStartForced, "its start was forced, but it has not started");
        RequireIn(state.TrainingScopes is >= 0 and <= MisuseWatch.MostTrainingScopes, "trainingScopes", state.TrainingScopes, "[0, 2^53]");
        RequireIn(state.ReportsAboveLevel >= 0, "reportsAboveLevel", state.ReportsAboveLevel, "[0, ∞)");
    }

    private static void RequireIn(bool isInside, string name, double value, string range) =>
        Require(isInside, $"{name} is {InvariantText.Of(value)} and must be in {range}");

    private static void RequireNames(PrunerState state)
    {
        Require(IsWhole(state.Settings), "settings are missing");
        Require(state.Layers is { Count: > 0 } && state.Layers.Values.All(IsWhole), "layers are missing");
        RequireLayers(state, "targets", state.Targets?.Keys, ofAll: true);
        RequireLayers(state, "weights", state.Weights?.Keys, ofAll: true);
        RequireLayers(state, "masks", state.Masks?.Keys, ofAll: false);
        Require(state.Targets?.Values.All(target => target >= 0) ?? true, "a target is negative");
        Require(state.Weights?.Values.All(hash => hash is not null && WeightHash.IsOne(hash)) ?? true, "a hash of weights is not valid");
        Require(state.Masks?.Values.Contains(null!) is not true, "a mask is null");
    }

    private static void RequireImportance(PrunerState state)
    {
        RequireLayers(state, "what was learned of importance", state.Importance?.Keys, ofAll: state.Targets is not null);
        Require(state.Importance?.Values.All(one => one is { Sensitivity: not null }) ?? true,
            "what was learned of a layer's importance is null");
        foreach (var learned in state.Importance?.Values ?? [])
            RequireIn(learned.Gradients is >= 1 and <= MisuseWatch.MostTrainingScopes, "gradients", learned.Gradients, "[1, 2^53]");
    }

    private static bool IsWhole(IReadOnlyDictionary<string, string>? settings) => settings is not null && !settings.Values.Contains(null!);

    private static void RequireLayers(PrunerState state, string name, IEnumerable<string>? names, bool ofAll)
    {
        if (names is null)
            return;

        string[] known = [.. names];
        Require(known.All(state.Layers.ContainsKey), $"{name} are of a layer that it doesn't have");
        Require(!ofAll || known.Length == state.Layers.Count, $"{name} of a layer are missing");
    }
}
