using System.Globalization;
using Pdp.Internal;

namespace Pdp.Scheduling;

/// <summary>Maps epochs of the run to epochs of the schedule; the only place that knows about the automatic start.</summary>
internal sealed class PruningClock
{
    /// <summary>The limit of epochs, up to which a double still distinguishes steps; no clock goes beyond it.</summary>
    public const double EpochLimit = 1L << 31;

    private readonly Timetable _times;
    private readonly ISparsityScheduler _schedule;
    private bool _isOver;

    /// <summary>Makes the clock.</summary>
    /// <exception cref="ArgumentException">The schedule ends after the run, or never asks for the whole target.</exception>
    public PruningClock(Timetable options, ClockReading reading = default)
    {
        _times = options;
        _schedule = options.Schedule;
        if (_schedule.EndEpoch > options.Epochs)
            throw new ArgumentException(
                $"The schedule reaches its target at epoch {Text(_schedule.EndEpoch)}, after the run of {Text(options.Epochs)} epochs: let "
                + "it end earlier or raise PdpOptions.Epochs.", nameof(options));
        if (!(_schedule.Fraction(_schedule.EndEpoch) >= 1))
            throw new ArgumentException(
                $"The schedule never reaches its target, so nothing could be committed: at its end, epoch {Text(_schedule.EndEpoch)}, it "
                + $"asks for {Text(100 * _schedule.Fraction(_schedule.EndEpoch))} % of it. Fraction must be 1 from EndEpoch "
                + "on.", nameof(options));

        Reading = (reading, IsOver: false);
    }

    /// <summary>Where the clock stands, to which it can be put back.</summary>
    public (ClockReading Clock, bool IsOver) Reading
    {
        get => (new(Epoch, Interval, IsIntervalGiven, StartedAt, IsStartForced, ReportsAboveLevel), _isOver);
        set
        {
            (Epoch, Interval, IsIntervalGiven, StartedAt, IsStartForced, ReportsAboveLevel) = value.Clock;
            _isOver = value.IsOver;
            SetTime();
        }
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
        && (_times.AutomaticStart is null || StartedAt is not null)
        && (Time >= _schedule.StartEpoch || IsLast);

    /// <summary>
    /// The fraction of the target that is asked for now: all of it in the last step of the run, as no later step could ask for the rest.
    /// </summary>
    public double Fraction => !HasStarted ? 0 : IsLast ? 1 : _schedule.Fraction(Time);

    /// <summary>Whether the whole target is asked for.</summary>
    public bool HasEnded => Fraction >= 1;

    /// <summary>Whether the clock is known to be set once an epoch.</summary>
    public bool IsCoarse => Interval >= 1;

    /// <summary>
    /// Whether the run ends with the current step of the clock; an inferred interval can't tell, as the clock may continue in finer steps.
    /// </summary>
    private bool IsLast => _isOver || Epoch >= _times.Epochs || (IsIntervalGiven && EndsBy(_times.Epochs));

    /// <summary>The first epoch at which pruning can begin: an automatic start needs its reports, of an epoch each.</summary>
    private double EarliestStart => _times.AutomaticStart is { } start ? Math.Min(start.Epochs, LatestStart) : _schedule.StartEpoch;

    /// <summary>The last epoch from which the schedule still ends within the run.</summary>
    private double LatestStart => _times.Epochs - (_schedule.EndEpoch - _schedule.StartEpoch);

    /// <summary>Sets the epoch.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="interval">The time until the next call, in epochs; null infers it from the time since the last call.</param>
    /// <param name="isPlanned">Whether pruning has begun.</param>
    public void Begin(double epoch, double? interval, bool isPlanned)
    {
        if (!(epoch is >= 0 and < EpochLimit))
            throw Guard.Outside(nameof(epoch), epoch, "[0, 2^31)");
        if (epoch < Epoch)
            throw new ArgumentOutOfRangeException(nameof(epoch), epoch,
                $"Must not be before the last epoch, {Text(Epoch.Value)}: to go back, load a checkpoint and call Restore(state).");
        if (Epoch is null && !isPlanned && epoch >= 1 && epoch > EarliestStart)
            throw new InvalidOperationException(
                $"The first epoch is {Text(epoch)}, but pruning {(_times.AutomaticStart is null ? "begins" : "may begin")} at "
                + $"{Text(EarliestStart)}: to resume, call Restore(state) first; otherwise count epochs from 0.");

        if ((interval ?? epoch - Epoch) is > 0 and var step)
            Interval = Math.Min(step, 1);
        // A method takes its masks when the clock is set, and can't wait for the commit.
        IsIntervalGiven = interval is not null || _times.IsSetInAdvance;
        Epoch = epoch;
        StartIfDue(epoch);
        SetTime();
    }

    /// <summary>The warning that pruning began because time was running out; null if it didn't.</summary>
    public string? ForcedStart() => !IsStartForced ? null
        : $"The reported metric was not above {Text(_times.AutomaticStart!.Level)} for {_times.AutomaticStart.Epochs} reports in a "
            + $"row: pruning began at epoch {Text(StartedAt!.Value)}, the latest from which the schedule can finish.";

    /// <summary>Takes a report of the metric.</summary>
    public void Report(double value)
    {
        var start = _times.AutomaticStart
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

    /// <summary>Checks that a step which a method took for the last one of the run, with the whole target, was the last one.</summary>
    /// <remarks>The inferred length of a step is too long after a pause: a clock set once an epoch may continue in finer steps.</remarks>
    public void RequireStillLast(double epoch, double? interval)
    {
        if (!_times.IsSetInAdvance || Epoch is null || !IsLast || epoch >= _times.Epochs)
            return;
        var step = interval ?? epoch - Epoch.Value;
        if (step > 0 && epoch + (1.001 * step) < _times.Epochs && _schedule.Fraction(Time + (epoch - Epoch.Value)) < 1)
            throw new InvalidOperationException(
                $"Epoch {Text(Epoch.Value)} was taken for the last step of the run, with the whole target, as the call before it was "
                + $"{Text(Interval ?? 0)} epochs earlier; now the run goes on at {Text(epoch)} in smaller steps: call "
                + "BeginEpoch(epoch, step, steps) from the start, or one call an epoch throughout. Load a checkpoint from before.");
    }

    /// <summary>Checks that the epoch is known, for a call that needs it.</summary>
    public void RequireSet(string call)
    {
        if (Epoch is null)
            throw new InvalidOperationException($"The pruner doesn't know the epoch: call BeginEpoch(epoch, step, steps) before {call}().");
    }

    /// <summary>Checks that the target has been asked for, or that no later step of the run can ask for the rest.</summary>
    public void RequireEnded()
    {
        var isWholeRun = Interval is null && !_times.IsSetInAdvance && Epoch + 1 >= _times.Epochs;
        if (!HasEnded && !EndsBy(_times.Epochs) && !isWholeRun)
            throw new InvalidOperationException(
                $"The target is not reached: the last epoch begun is {Text(Epoch!.Value)}, at {Text(100 * Fraction)} % of the schedule, "
                + $"which ends at {Text(_schedule.EndEpoch)}. Train on, call BeginEpoch(epoch, step, steps) before every step, "
                + "or let the schedule end earlier.");
    }

    /// <summary>
    /// Begins pruning once the metric is met, at the latest in the last step from which the schedule still ends within the run.
    /// </summary>
    private void StartIfDue(double epoch)
    {
        if (_times.AutomaticStart is not { } start || StartedAt is not null)
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
        Time = _times.AutomaticStart is null ? epoch
            : StartedAt is { } started ? epoch - started + _schedule.StartEpoch
            : Math.Min(epoch, _schedule.StartEpoch);
        TemperatureTime = IsLast ? _times.Epochs : StartedAt is { } start ? Stretched(epoch, start) : Time;
    }

    /// <summary>Compresses the annealing into the rest of the run, so that it ends with the run.</summary>
    private double Stretched(double epoch, double start) =>
        start >= _times.Epochs
            ? _times.Epochs
            : _schedule.StartEpoch + ((epoch - start) * (_times.Epochs - _schedule.StartEpoch) / (_times.Epochs - start));

    private static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
