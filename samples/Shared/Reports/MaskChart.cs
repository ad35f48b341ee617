using Pdp.Samples.Drawing;

namespace Pdp.Samples.Reports;

/// <summary>The histogram of a layer's weights, with the threshold and the mask that they are given.</summary>
internal static class MaskChart
{
    private const int Points = 161;
    private const int WeightColor = 0;
    private const int MaskColor = 3;

    /// <summary>Draws a moment.</summary>
    /// <param name="snapshot">The weights.</param>
    /// <param name="title">The chart's title; the layer's name if null.</param>
    public static Chart Of(WeightSnapshot snapshot, string? title = null)
    {
        var width = snapshot.BinWidth;
        var bars = new Bars("weights", WeightColor,
            [.. snapshot.Counts.Select((count, bin) => new Point(-snapshot.Range + ((bin + 0.5) * width), count))], width);
        var range = snapshot.Range > 0 ? snapshot.Range : 1;
        var chart = new Chart
        {
            Title = title ?? snapshot.Layer,
            X = Axis.Around("weight w", [], -range, range),
            Y = Axis.Around("weights", snapshot.Counts.Select(count => (double)count), low: 0),
            Marks = [bars],
        };
        return snapshot is { Threshold: { } threshold, Temperature: { } temperature } ? WithMask(chart, range, threshold, temperature)
            : chart;
    }

    /// <summary>m = σ((w² − t²)/τ), on an axis of its own.</summary>
    private static Chart WithMask(Chart chart, double range, double threshold, double temperature)
    {
        var weights = Enumerable.Range(0, Points).Select(i => range * ((2.0 * i / (Points - 1)) - 1));
        var mask = weights.Select(w => new Point(w, 1 / (1 + Math.Exp(((threshold * threshold) - (w * w)) / temperature))));
        return chart with
        {
            Right = new Axis("mask m", 0, 1.05, [new(0, "0"), new(0.5, "½"), new(1, "1")]),
            Marks =
            [
                .. chart.Marks,
                new Rule("threshold ±t", MaskColor, [-threshold, threshold]) { IsUpright = true },
                new Line("mask", MaskColor, [.. mask]) { HasMarkers = false, IsOnRight = true },
            ],
        };
    }
}
