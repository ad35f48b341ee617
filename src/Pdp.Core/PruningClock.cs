using System.Globalization;
using Pdp.Scheduling;

namespace Pdp;

/// <summary>The epoch, and what it means on the schedule: the one place that knows of the automatic start.</summary>
internal sealed class PruningClock
{
    private readonly PdpOptions _options;
    private readonly ISparsityScheduler _schedule;

    /// <summary>Makes the clock.</summary>
    /// <exception cref="ArgumentException">The schedule ends after the run.</exception>
    public PruningClock(PdpOptions options)
    {
        _options = options;
        _schedule = options.EffectiveSchedule;
        if (_schedule.EndEpoch > options.Epochs)
            throw new ArgumentException($"The schedule reaches its target at epoch {Text(_schedule.EndEpoch)}, after the run of {Text(options.Epochs)} epochs: let it end earlier or raise PdpOptions.Epochs.", nameof(options));
    }

    /// <summary>The epoch of the last call; null before the first.</summary>
    public double? Epoch { get; private set; }

    /// <summary>The epoch at which the automatic start began pruning.</summary>
    public double? StartedAt { get; private set; }

    public int ReportsAboveLevel { get; private set; }

    /// <summary>The epoch on the schedule.</summary>
    public double Time { get; private set; }

    /// <summary>Whether pruning has begun.</summary>
    public bool HasStarted => Epoch is not null && (_options.AutomaticStart is null || StartedAt is not null) && Time >= _schedule.StartEpoch;

    /// <summary>The share of the target that is asked for now.</summary>
    public double Fraction => HasStarted ? _schedule.Fraction(Time) : 0;

    /// <summary>Whether the whole target is asked for.</summary>
    public bool HasEnded => Fraction >= 1;

    /// <summary>The last epoch from which the schedule still ends within the run.</summary>
    private double LatestStart => _options.Epochs - (_schedule.EndEpoch - _schedule.StartEpoch);

    /// <summary>Sets the epoch.</summary>
    public void Begin(double epoch, bool isPlanned)
    {
        if (!(epoch >= 0 && double.IsFinite(epoch)))
            throw Internal.Guard.Outside(nameof(epoch), epoch, "[0, ∞)");
        if (epoch < Epoch)
            throw new ArgumentOutOfRangeException(nameof(epoch), epoch, $"Must not be before the last epoch, {Text(Epoch.Value)}: to go back, load a checkpoint and call Restore(state).");
        if (Epoch is null && !isPlanned && _options.AutomaticStart is null && epoch >= 1 && epoch > _schedule.StartEpoch)
            throw new InvalidOperationException($"The first epoch is {Text(epoch)}, but pruning begins at {Text(_schedule.StartEpoch)}: to resume, call Restore(state) first; otherwise count epochs from 0.");

        Epoch = epoch;
        if (_options.AutomaticStart is { } start && StartedAt is null && (ReportsAboveLevel >= start.Epochs || epoch >= LatestStart))
            StartedAt = Math.Min(epoch, LatestStart);
        SetTime();
    }

    /// <summary>Takes a report of the metric.</summary>
    public void Report(double value)
    {
        var start = _options.AutomaticStart
            ?? throw new InvalidOperationException("Nothing waits for a metric: set PdpOptions.AutomaticStart, or leave ReportMetric out.");
        ReportsAboveLevel = value > start.Level ? ReportsAboveLevel + 1 : 0;
    }

    /// <summary>Checks that the target has been asked for.</summary>
    public void RequireEnded()
    {
        if (!HasEnded)
            throw new InvalidOperationException($"The target is not reached: the last epoch begun is {Text(Epoch!.Value)}, at {Text(100 * Fraction)} % of the schedule, which ends at {Text(_schedule.EndEpoch)}. Train on, begin fractional epochs (BeginEpoch(epoch + step / (double)steps)), or let the schedule end earlier.");
    }

    public void Restore(PrunerState state)
    {
        Epoch = state.Epoch;
        StartedAt = state.StartedAt;
        ReportsAboveLevel = state.ReportsAboveLevel;
        SetTime();
    }

    private void SetTime() =>
        Time = Epoch is not { } epoch ? 0
            : _options.AutomaticStart is null ? epoch
            : StartedAt is { } started ? epoch - started + _schedule.StartEpoch
            : Math.Min(epoch, _schedule.StartEpoch);

    private static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
