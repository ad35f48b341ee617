using System.Globalization;
using Pdp.Internal;

namespace Pdp.Scheduling;

/// <summary>Describes schedules that don't do it themselves: by what they ask for, as a function in a property has no words.</summary>
internal static class ScheduleWords
{
    private const int Steps = 4;

    public static string Of(ISparsityScheduler schedule)
    {
        var (start, end) = (schedule.StartEpoch, schedule.EndEpoch);
        var shares = Enumerable.Range(0, Steps + 1).Select(step => schedule.Fraction(start + ((end - start) * step / Steps)));
        return $"{Words.Of(schedule)} from epoch {Words.Of(start)} to {Words.Of(end)}, asking for {string.Join(", ", shares.Select(Rounded))}";
    }

    /// <summary>Rounded, as the last bits of a power differ from one machine to another.</summary>
    private static string Rounded(double share) => share.ToString("0.####", CultureInfo.InvariantCulture);
}
