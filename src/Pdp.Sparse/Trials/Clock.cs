using System.Diagnostics;

namespace Pdp.Sparse.Trials;

/// <summary>Times several ways of doing the same thing, in alternation.</summary>
internal static class Clock
{
    private const int MostRounds = 15;
    private const int FewestRounds = 3;

    /// <summary>The time, in seconds, from which on ways hardly vary: one round is enough.</summary>
    private const double Long = 0.2;

    /// <summary>The least time of a sample, in seconds: shorter ways run several times in one.</summary>
    private const double Sample = 5e-5;

    /// <summary>The median time of each way, in milliseconds.</summary>
    /// <param name="seconds">The time that all rounds together may take; a few rounds are run in any case.</param>
    /// <param name="ways">The ways.</param>
    public static double[] Medians(double seconds, params Action[] ways)
    {
        var start = Stopwatch.GetTimestamp();
        // The first round compiles, and makes what is reused.
        double[] first = [.. ways.Select(way => Time(way, 1))];
        int[] repeats = [.. ways.Zip(first, Repeats)];
        var fewest = first.Max() > 1e3 * Long ? 1 : FewestRounds;
        var times = ways.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < MostRounds && (round < fewest || Elapsed(start) < seconds); round++)
        {
            for (var way = 0; way < ways.Length; way++)
                times[way].Add(Time(ways[way], repeats[way]));
        }

        return [.. times.Select(Median)];
    }

    private static int Repeats(Action way, double first)
    {
        var once = first > 1e3 * Sample * 10 ? first : Time(way, 1);
        return (int)Math.Clamp(1e3 * Sample / Math.Max(once, 1e-4), 1, 100);
    }

    private static double Time(Action way, int repeats)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++)
            way();
        return 1e3 * Elapsed(start) / repeats;
    }

    private static double Median(List<double> times)
    {
        times.Sort();
        return times[times.Count / 2];
    }

    private static double Elapsed(long start) => Stopwatch.GetElapsedTime(start).TotalSeconds;
}
