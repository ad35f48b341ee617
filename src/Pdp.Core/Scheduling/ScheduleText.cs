using System.Globalization;
using Pdp.Internal;

namespace Pdp.Scheduling;

/// <summary>
/// Describes schedules that don't describe themselves, by the sparsity they ask for: a function in a property can't be put into words.
/// </summary>
internal static class ScheduleText
{
    private const int Steps = 4;

    public static string Of(ISparsityScheduler schedule)
    {
        var (start, end) = (schedule.StartEpoch, schedule.EndEpoch);
        var shares = Enumerable.Range(0, Steps + 1).Select(step => schedule.Fraction(start + ((end - start) * step / Steps)));
        return $"{InvariantText.Of(schedule)} from epoch {InvariantText.Of(start)} to {InvariantText.Of(end)}, asking for "
            + $"{string.Join(", ", shares.Select(Rounded))}";
    }

    /// <summary>Rounds, because the last bits of a power differ between machines.</summary>
    private static string Rounded(double share) => share.ToString("0.####", CultureInfo.InvariantCulture);
}
