using System.Diagnostics;

namespace Pdp.Benchmarks;

/// <summary>Measures several ways to do the same in turn, so that whatever else the machine does hits them alike.</summary>
internal static class Alternation
{
    /// <summary>The median of each in milliseconds.</summary>
    /// <param name="rounds">The rounds that count, after one that doesn't.</param>
    /// <param name="budget">The time after which no further round begins; one counts in any case.</param>
    /// <param name="actions">What to measure; it says itself how long it took, so that it can prepare and clean up unmeasured.</param>
    public static double[] Medians(int rounds, TimeSpan budget, params Func<TimeSpan>[] actions)
    {
        var times = actions.Select(_ => new List<double>()).ToArray();
        var start = Stopwatch.GetTimestamp();
        for (var round = -1; round < rounds && (round < 1 || Stopwatch.GetElapsedTime(start) < budget); round++)
        {
            for (var i = 0; i < actions.Length; i++)
            {
                var time = actions[i]();
                if (round >= 0)
                    times[i].Add(time.TotalMilliseconds);
            }
        }

        return [.. times.Select(Median)];
    }

    public static TimeSpan Time(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start);
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
