using System.Globalization;
using Pdp.Internal;

namespace Pdp.Scheduling;

/// <summary>Detects ramps that rise in too few steps to be gradual, as when the clock is set once an epoch in a short run.</summary>
/// <param name="schedule">The schedule in force.</param>
/// <param name="epochs">The length of the run.</param>
internal sealed class RampCheck(ISparsityScheduler schedule, double epochs)
{
    /// <summary>The sparsity that one step of the clock may add without a warning.</summary>
    private const double Limit = 0.2;

    /// <summary>A ramp of more epochs than this never has such steps.</summary>
    private const int MostEpochs = 1000;

    private const string Finer = "call BeginEpoch(epoch, step, steps) before every step, so that it ramps.";
    private const string Later = "the ramp is only a few steps long; let it end later.";

    private Jump? _largest;

    /// <summary>Records a step of the clock.</summary>
    /// <param name="from">The epoch on the schedule before the step, and the fraction of the target asked for then.</param>
    /// <param name="to">The same after the step.</param>
    /// <param name="epoch">The epoch of the run.</param>
    /// <param name="target">The final sparsity.</param>
    /// <param name="isCoarse">Whether the clock is set once an epoch.</param>
    public void Note((double Time, double Fraction) from, (double Time, double Fraction) to, double epoch, double target, bool isCoarse)
    {
        var jump = new Jump(epoch, from.Fraction * target, to.Fraction * target, isCoarse ? Finer : Later);
        if (jump.Size > Math.Max(Limit, _largest?.Size ?? 0)
            && IsRamp(from.Time, Math.Max(to.Time, to.Fraction >= 1 ? schedule.EndEpoch : 0)))
            _largest = jump;
    }

    /// <summary>The warning about what has happened; null if all steps were small.</summary>
    public string? Happened() => _largest is not { } jump ? null :
        $"The sparsity rose from {TextTable.Percent(jump.From)} to {TextTable.Percent(jump.To)} in one step of the clock, at epoch "
        + $"{Text(jump.Epoch)}: {jump.Remedy}";

    /// <summary>The warning about what will happen if the clock continues in whole epochs; null if all steps are small.</summary>
    /// <param name="now">The epoch of the run.</param>
    /// <param name="target">The final sparsity.</param>
    public string? WillHappen(double now, double target)
    {
        var (first, last) = (Math.Max(Math.Floor(now), Math.Floor(schedule.StartEpoch)), Math.Ceiling(epochs) - 1);
        if (last - first > MostEpochs && schedule.EndEpoch - schedule.StartEpoch > MostEpochs)
            return null;

        var whole = new RampCheck(schedule, epochs);
        for (var epoch = first + 1; epoch <= Math.Min(last, Math.Ceiling(schedule.EndEpoch)); epoch++)
            whole.Note((epoch - 1, schedule.Fraction(epoch - 1)), (epoch, epoch >= last ? 1 : schedule.Fraction(epoch)), epoch, target,
                isCoarse: true);
        return whole._largest is not { } jump ? null :
            $"The clock is set once an epoch, so the sparsity will rise from {TextTable.Percent(jump.From)} to "
            + $"{TextTable.Percent(jump.To)} in one step, at epoch {Text(jump.Epoch)}: {jump.Remedy}";
    }

    /// <summary>Whether the schedule itself rises gradually between two epochs.</summary>
    private bool IsRamp(double from, double to)
    {
        const int parts = 32;
        var shares = Enumerable.Range(0, parts + 1).Select(part => schedule.Fraction(from + ((to - from) * part / parts))).ToArray();
        return shares[^1] > shares[0] && shares.Zip(shares.Skip(1), (a, b) => b - a).Max() <= 0.5 * (shares[^1] - shares[0]);
    }

    private static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private readonly record struct Jump(double Epoch, double From, double To, string Remedy)
    {
        public double Size => To - From;
    }
}
