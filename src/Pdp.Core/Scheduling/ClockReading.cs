namespace Pdp.Scheduling;

/// <summary>What a clock has to remember across a restart.</summary>
/// <param name="Epoch">The epoch of the last call; null before the first.</param>
/// <param name="Interval">The length of the last step, in epochs; null before the second call.</param>
/// <param name="IsIntervalGiven">Whether that was given, and not guessed from the last two calls.</param>
/// <param name="StartedAt">The epoch at which the automatic start began pruning.</param>
/// <param name="IsStartForced">Whether it did so for want of time.</param>
/// <param name="ReportsAboveLevel">The reports in a row that were above the automatic start's level.</param>
internal readonly record struct ClockReading(
    double? Epoch, double? Interval, bool IsIntervalGiven, double? StartedAt, bool IsStartForced, int ReportsAboveLevel);
