using System.Globalization;
using ScottPlot;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Ticks where values are, instead of at round numbers that nothing was measured at.</summary>
internal static class Ticks
{
    /// <summary>The least distance of two ticks, and that of values from the axis' ends, over the axis.</summary>
    private const double Least = 0.07;

    /// <summary>Puts ticks at the values, and the axis around them.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="values">The values, at least one.</param>
    /// <param name="digits">Decimals of a tick.</param>
    /// <param name="margin">The least distance of values from the axis' ends.</param>
    public static void SetBottom(Plot plot, IReadOnlyCollection<double> values, int digits, double margin)
    {
        var (low, high) = (values.Min(), values.Max());
        var around = Math.Max(margin, Least * (high - low));
        plot.Axes.SetLimitsX(low - around, high + around);
        double[] ticks = Of(values, digits, high - low + (2 * around));
        plot.Axes.Bottom.SetTicks(ticks, [.. ticks.Select(tick => tick.ToString(CultureInfo.InvariantCulture))]);
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
