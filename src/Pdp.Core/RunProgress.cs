using Pdp.Allocation;
using Pdp.Scheduling;

namespace Pdp;

/// <summary>Where a run is: its clock, and what of its plan the masks are asked for.</summary>
internal sealed class RunProgress(PrunedModel model, TargetPlanner planner, PdpOptions options, PruningClock clock, bool isPlanned)
{
    private readonly RampWatch _ramp = new(options.EffectiveSchedule, options.Epochs);

    public PruningClock Clock => clock;

    /// <summary>Whether the masks have their targets.</summary>
    public bool IsPlanned { get; private set; } = isPlanned;

    /// <summary>Whether the targets can't change any more.</summary>
    public bool IsFinal => IsPlanned || !planner.NeedsWeights;

    /// <summary>What should be looked at in what has happened.</summary>
    public IEnumerable<string> Warnings => new[] { _ramp.Happened(), clock.ForcedStart() }.OfType<string>();

    /// <summary>The targets, or what they would be by the weights of now.</summary>
    public long[] Targets() => IsPlanned ? [.. model.Masked.Masks.Select(mask => mask.Target)] : planner.Plan();

    /// <summary>What should be looked at in what is ahead, if the whole is pruned so far; null if nothing.</summary>
    public string? Ahead(double sparsity) => clock.IsCoarse && options.AutomaticStart is null ? _ramp.WillHappen(sparsity) : null;

    /// <summary>Sets the clock, and moves the masks unless they are final.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="interval">The time until the next call, in epochs; null where it is not known.</param>
    /// <param name="isCommitted">Whether they are.</param>
    public void Begin(double epoch, double? interval, bool isCommitted)
    {
        var before = (clock.Time, clock.Fraction);
        var isFirst = clock.Epoch is null;
        clock.Begin(epoch, interval, IsPlanned);
        if (clock.HasStarted && !IsPlanned)
            SetTargets();
        // What was committed stays as it is, and a method's counts are not those of the schedule.
        if (isCommitted)
            return;

        Advance();
        model.BeginMethod(epoch);
        if (!isFirst)
            _ramp.Note(before, (clock.Time, clock.Fraction), epoch, model.Masked.TargetSparsity, clock.IsCoarse);
    }

    /// <summary>Asks for the whole target where the last step of the clock, set once an epoch, was not known to be the last.</summary>
    public void Finish()
    {
        if (clock.HasEnded)
            return;

        clock.Finish();
        if (!IsPlanned)
            SetTargets();
        Advance();
    }

    private void Advance() => model.Masked.Advance(clock.Fraction, clock.TemperatureTime);

    /// <summary>Fixes what each mask removes in the end, by what the weights and their importance are now.</summary>
    private void SetTargets()
    {
        model.RequireImportance();
        model.Masked.SetTargets(planner.Plan());
        IsPlanned = true;
    }
}
