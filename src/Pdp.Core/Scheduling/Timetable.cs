namespace Pdp.Scheduling;

/// <summary>What the options say about time.</summary>
/// <param name="Schedule">The schedule in force.</param>
/// <param name="Epochs">The length of the run.</param>
/// <param name="AutomaticStart">What decides when the schedule starts; null where it starts at its own start.</param>
/// <param name="IsSetInAdvance">
/// Whether what is asked for is taken when the clock is set, as methods take it, and can't wait for the commit.
/// </param>
internal sealed record Timetable(ISparsityScheduler Schedule, double Epochs, AutomaticStart? AutomaticStart, bool IsSetInAdvance);
