using System.Globalization;
using Pdp.Saving;

namespace Pdp.Scheduling;

/// <summary>Maps epochs of the run to epochs of the schedule; the only place that knows about the automatic start.</summary>
internal sealed class PruningClock
{
    private readonly PdpOptions _options;
    private readonly ISparsityScheduler _schedule;
    private bool _isOver;

    /// <summary>Makes the clock.</summary>
    /// <exception cref="ArgumentException">The schedule ends after the run, or never asks for the whole target.</exception>
    public PruningClock(PdpOptions options)
    {
        _options = options;
        _schedule = options.EffectiveSchedule;
        if (_schedule.EndEpoch > options.Epochs)
            throw new ArgumentException(
                $"The schedule reaches its target at epoch {Text(_schedule.EndEpoch)}, after the run of {Text(options.Epochs)} epochs: let "
                + "it end earlier or raise PdpOptions.Epochs.", nameof(options));
        if (!(_schedule.Fraction(_schedule.EndEpoch) >= 1))
            throw new ArgumentException(
                $"The schedule never reaches its target, so nothing could be committed: at its end, epoch {Text(_schedule.EndEpoch)}, it "
                + $"asks for {Text(100 * _schedule.Fraction(_schedule.EndEpoch))} % of it. Fraction must be 1 from EndEpoch "
                + "on.", nameof(options));
    }

    /// <summary>The epoch of the last call; null before the first.</summary>
    public double? Epoch { get; private set; }

    /// <summary>The length of the clock's last step, in epochs: 1 if it is set once an epoch; null if it has not moved yet.</summary>
    public double? Interval { get; private set; }

    /// <summary>Whether the interval was given rather than inferred from the last two calls.</summary>
    public bool IsIntervalGiven { get; private set; }

    /// <summary>The epoch at which the automatic start began pruning.</summary>
    public double? StartedAt { get; private set; }

    /// <summary>Whether pruning began because time was running out, not because the metric was met.</summary>
    public bool IsStartForced { get; private set; }

    public int ReportsAboveLevel { get; private set; }

    /// <summary>The epoch on the schedule.</summary>
    public double Time { get; private set; }

    /// <summary>The epoch on the temperature's annealing window.</summary>
    public double TemperatureTime { get; private set; }

    /// <summary>Whether pruning has begun.</summary>
    public bool HasStarted =>
        Epoch is not null
        && (_options.AutomaticStart is null || StartedAt is not null)
        && (Time >= _schedule.StartEpoch || IsLast);

    /// <summary>
    /// The fraction of the target that is asked for now: all of it in the last step of the run, as no later step could ask for the rest.
    /// </summary>
    public double Fraction => !HasStarted ? 0 : IsLast ? 1 : _schedule.Fraction(Time);

    /// <summary>Whether the whole target is asked for.</summary>
    public bool HasEnded => Fraction >= 1;

    /// <summary>Whether the clock is set once an epoch, as far as known.</summary>
    public bool IsCoarse => Interval is null or >= 1;

    /// <summary>
    /// Whether the run ends with the current step of the clock; an inferred interval can't tell, as the clock may go on in finer steps.
    /// </summary>
    private bool IsLast => _isOver || Epoch >= _options.Epochs || (IsIntervalGiven && EndsBy(_options.Epochs));

    /// <summary>The last epoch from which the schedule still ends within the run.</summary>
    private double LatestStart => _options.Epochs - (_schedule.EndEpoch - _schedule.StartEpoch);

    /// <summary>Restores the clock from a state.</summary>
    /// <exception cref="ArgumentException">The state holds values that no clock could have.</exception>
    public static PruningClock Of(PrunerState state, PdpOptions options)
    {
        var clock = new PruningClock(options)
        {
            Epoch = state.Epoch,
            Interval = state.Interval,
            IsIntervalGiven = state.IsIntervalGiven,
            StartedAt = state.StartedAt,
            IsStartForced = state.IsStartForced,
            ReportsAboveLevel = state.ReportsAboveLevel,
        };
        clock.SetTime();
        StateChecks.Require(options.AutomaticStart is not null || (state.StartedAt is null && state.ReportsAboveLevel == 0),
            "it has an automatic start, and the options have none");
        StateChecks.Require(options.AutomaticStart is null || state.StartedAt is not null || state.Targets is null,
            "it has targets, though pruning has not begun");
        StateChecks.Require(!clock.HasStarted || state.Targets is not null, "it has no targets, though pruning has begun");
        return clock;
    }

    /// <summary>Sets the epoch.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="interval">The time until the next call, in epochs; null infers it from the time since the last call.</param>
    /// <param name="isPlanned">Whether pruning has begun.</param>
    public void Begin(double epoch, double? interval, bool isPlanned)
    {
        if (!(epoch is >= 0 and < StateChecks.EpochLimit))
            throw Internal.Guard.Outside(nameof(epoch), epoch, "[0, 2^31)");
        if (epoch < Epoch)
            throw new ArgumentOutOfRangeException(nameof(epoch), epoch,
                $"Must not be before the last epoch, {Text(Epoch.Value)}: to go back, load a checkpoint and call Restore(state).");
        if (Epoch is null && !isPlanned && _options.AutomaticStart is null && epoch >= 1 && epoch > _schedule.StartEpoch)
            throw new InvalidOperationException(
                $"The first epoch is {Text(epoch)}, but pruning begins at {Text(_schedule.StartEpoch)}: to resume, call Restore(state) "
                + "first; otherwise count epochs from 0.");

        if ((interval ?? epoch - Epoch) is > 0 and var step)
            Interval = Math.Min(step, 1);
        // A method takes its masks when the clock is set, and can't wait for the commit.
        IsIntervalGiven = interval is not null || _options.Method is not null;
        Epoch = epoch;
        StartIfDue(epoch);
        SetTime();
    }

    /// <summary>The warning that pruning began because time was running out; null if it didn't.</summary>
    public string? ForcedStart() => !IsStartForced ? null
        : $"The reported metric was not above {Text(_options.AutomaticStart!.Level)} for {_options.AutomaticStart.Epochs} reports in a "
            + $"row: pruning began at epoch {Text(StartedAt!.Value)}, the latest from which the schedule can finish.";

    /// <summary>Takes a report of the metric.</summary>
    public void Report(double value)
    {
        var start = _options.AutomaticStart
            ?? throw new InvalidOperationException(
                "No automatic start is waiting for a metric: set PdpOptions.AutomaticStart, or don't call ReportMetric.");
        ReportsAboveLevel = value > start.Level ? Math.Min(ReportsAboveLevel, int.MaxValue - 1) + 1 : 0;
    }

    /// <summary>Asks for the whole target, as the run is over.</summary>
    public void Finish()
    {
        _isOver = true;
        StartIfDue(Epoch!.Value);
        SetTime();
    }

    /// <summary>Checks that the target has been asked for, or that no later step of the run can ask for the rest.</summary>
    public void RequireEnded()
    {
        var isWholeRun = Interval is null && Epoch + 1 >= _options.Epochs;
        if (!HasEnded && !EndsBy(_options.Epochs) && !isWholeRun)
            throw new InvalidOperationException(
                $"The target is not reached: the last epoch begun is {Text(Epoch!.Value)}, at {Text(100 * Fraction)} % of the schedule, "
                + $"which ends at {Text(_schedule.EndEpoch)}. Train on, begin fractional epochs (BeginEpoch(epoch + step / "
                + "(double)steps)), or let the schedule end earlier.");
    }

    /// <summary>
    /// Begins pruning once the metric is met, at the latest in the last step from which the schedule still ends within the run.
    /// </summary>
    private void StartIfDue(double epoch)
    {
        if (_options.AutomaticStart is not { } start || StartedAt is not null)
            return;

        var isMet = ReportsAboveLevel >= start.Epochs;
        if (!isMet && !EndsBy(LatestStart) && !_isOver)
            return;

        StartedAt = Math.Min(epoch, LatestStart);
        IsStartForced = !isMet;
    }

    /// <summary>
    /// Whether the current step of the clock reaches an epoch, with a tolerance because its length is a difference of rounded numbers.
    /// </summary>
    private bool EndsBy(double end) => Epoch is { } epoch && (epoch >= end || epoch + (1.001 * Interval) >= end);

    private void SetTime()
    {
        var epoch = Epoch ?? 0;
        // With an automatic start the schedule begins at that epoch; until then its clock stands at its own start.
        Time = _options.AutomaticStart is null ? epoch
            : StartedAt is { } started ? epoch - started + _schedule.StartEpoch
            : Math.Min(epoch, _schedule.StartEpoch);
        TemperatureTime = IsLast ? _options.Epochs : StartedAt is { } start ? Stretched(epoch, start) : Time;
    }

    /// <summary>Compresses the annealing into the rest of the run, so that it ends with the run.</summary>
    private double Stretched(double epoch, double start) =>
        start >= _options.Epochs
            ? _options.Epochs
            : _schedule.StartEpoch + ((epoch - start) * (_options.Epochs - _schedule.StartEpoch) / (_options.Epochs - start));

    private static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
