using System.Globalization;
using Pdp.Samples.Drawing;

namespace Pdp.Samples.Comparison;

/// <summary>Ticks where values are, instead of at round numbers that nothing was measured at.</summary>
internal static class Ticks
{
    /// <summary>The least distance of two ticks, and that of values from the axis' ends, over the axis.</summary>
    private const double Least = 0.07;

    /// <summary>An axis around values, with ticks at them.</summary>
    /// <param name="label">What the values are.</param>
    /// <param name="values">The values, at least one.</param>
    /// <param name="digits">Decimals of a tick.</param>
    /// <param name="margin">The least distance of values from the axis' ends.</param>
    public static Axis Axis(string label, IReadOnlyCollection<double> values, int digits, double margin)
    {
        var (low, high) = (values.Min(), values.Max());
        var around = Math.Max(margin, Least * (high - low));
        var ticks = Of(values, digits, high - low + (2 * around));
        return new(label, low - around, high + around,
            [.. ticks.Select(tick => new Tick(tick, tick.ToString(CultureInfo.InvariantCulture)))]);
    }

    /// <summary>The distinct values in order; of two whose labels would touch, the one that more runs have, or else the lesser.</summary>
    public static double[] Of(IEnumerable<double> values, int digits, double span)
    {
        var chosen = new List<double>();
        var distinct = values.GroupBy(value => Math.Round(value, digits), (value, group) => (Value: value, Count: group.Count()));
        foreach (var (value, _) in distinct.OrderByDescending(tick => tick.Count).ThenBy(tick => tick.Value))
        {
            if (chosen.All(other => Math.Abs(other - value) >= Least * span))
            {
                chosen.Add(value);
            }
        }

        return [.. chosen.Order()];
    }
}
