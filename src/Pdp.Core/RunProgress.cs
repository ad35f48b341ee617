using Pdp.Allocation;
using Pdp.Scheduling;

namespace Pdp;

/// <summary>How far a run has come: its clock, whether the targets are set, and moving the masks along the schedule.</summary>
internal sealed class RunProgress(PrunedModel model, TargetPlanner planner, PdpOptions options, PruningClock clock, bool isPlanned)
{
    private readonly RampCheck _ramp = new(options.EffectiveSchedule, options.Epochs);

    public PruningClock Clock => clock;

    /// <summary>Divides the sparsity among the layers.</summary>
    public TargetPlanner Planner => planner;

    /// <summary>Whether the masks have their targets.</summary>
    public bool IsPlanned { get; private set; } = isPlanned;

    /// <summary>Whether the targets can no longer change.</summary>
    public bool IsFinal => IsPlanned || planner.IsByShape;

    /// <summary>Warnings about the run so far.</summary>
    public IEnumerable<string> Warnings => new[] { _ramp.Happened(), clock.ForcedStart() }.OfType<string>();

    /// <summary>The targets; until they are set, those that the current weights would give.</summary>
    public long[] Targets() => IsPlanned ? [.. model.Masked.Masks.Select(mask => mask.Target)] : planner.Plan();

    /// <summary>A warning about the rest of a run to a sparsity; null if there is none.</summary>
    public string? Ahead(double sparsity) =>
        clock is { IsCoarse: true, Epoch: { } epoch } && options.AutomaticStart is null ? _ramp.WillHappen(epoch, sparsity) : null;

    /// <summary>Sets the clock, and moves the masks unless they are committed.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="interval">The time until the next call, in epochs; null where it is not known.</param>
    /// <param name="isCommitted">Whether the masks are committed.</param>
    public void Begin(double epoch, double? interval, bool isCommitted)
    {
        var before = (clock.Time, clock.Fraction);
        var isFirst = clock.Epoch is null;
        var reading = clock.Reading;
        if (!isCommitted)
            clock.RequireStillLast(epoch, interval);
        clock.Begin(epoch, interval, IsPlanned);
        if (clock.HasStarted && !IsPlanned)
            SetTargets(otherwise: reading);
        // Committed masks stay as they are, and a method's counts may differ from the schedule's.
        if (isCommitted)
            return;

        Advance();
        model.BeginMethod(epoch);
        if (!isFirst)
            _ramp.Note(before, (clock.Time, clock.Fraction), epoch, model.Masked.TargetSparsity, clock.IsCoarse);
    }

    /// <summary>Moves the masks to the whole target if a clock that is set once an epoch has not reached it.</summary>
    public void Finish()
    {
        if (clock.HasEnded && IsPlanned)
            return;

        var before = (clock.Time, clock.Fraction);
        var reading = clock.Reading;
        clock.Finish();
        if (!IsPlanned)
            SetTargets(otherwise: reading);
        Advance();
        var isCoarse = clock.Interval is null || clock.IsCoarse;
        _ramp.Note(before, (clock.Time, clock.Fraction), clock.Epoch!.Value, model.Masked.TargetSparsity, isCoarse);
    }

    private void Advance() => model.Masked.Advance(clock.Fraction, clock.TemperatureTime);

    /// <summary>Fixes how much each mask finally removes, from the current weights and their importance.</summary>
    /// <param name="otherwise">Where the clock is put back to if that can't be said.</param>
    private void SetTargets((ClockReading Clock, bool IsOver) otherwise)
    {
        try
        {
            model.RequireImportance();
            model.Masked.SetTargets(planner.Plan());
        }
        catch
        {
            clock.Reading = otherwise;
            throw;
        }

        IsPlanned = true;
    }
}
