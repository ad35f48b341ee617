using Pdp.Samples.Drawing;

namespace Pdp.Samples.Reports;

/// <summary>The histogram of a layer's weights, with the threshold and the mask that they are given.</summary>
internal static class MaskChart
{
    private const int Points = 161;
    private const int WeightColor = 0;
    private const int MaskColor = 3;
    private const int DenseColor = 8;

    /// <summary>Draws a moment.</summary>
    /// <param name="snapshot">The weights.</param>
    /// <param name="title">The chart's title; the layer's name if null.</param>
    /// <param name="mask">What the curve of the mask is called.</param>
    /// <param name="dense">How many weights of a dense run lie in each bin; null if they are not shown.</param>
    public static Chart Of(WeightSnapshot snapshot, string? title = null, string mask = "mask", IReadOnlyList<long>? dense = null)
    {
        var range = snapshot.Range > 0 ? snapshot.Range : 1;
        Bars bars = new("weights", WeightColor, [.. snapshot.Counts.Select((count, bin) => new Point(Middle(bin), count))],
            snapshot.BinWidth);
        return new Chart
        {
            Title = title ?? snapshot.Layer,
            X = Axis.Around("weight w", [], -range, range),
            Y = Axis.Around(
                FormattableString.Invariant($"weights per bin of {snapshot.BinWidth:G2}"),
                snapshot.Counts.Concat(dense ?? []).Select(count => (double)count),
                low: 0),
            Right = HasMask(snapshot) ? new Axis("mask m", 0, 1.05, [new(0, "0"), new(0.5, "½"), new(1, "1")]) : null,
            Marks = [bars, .. Dense(snapshot, dense), .. Mask(snapshot, range, mask)],
        };

        double Middle(int bin) => -snapshot.Range + ((bin + 0.5) * snapshot.BinWidth);
    }

    private static bool HasMask(WeightSnapshot snapshot) => snapshot is { Threshold: not null, Temperature: not null };

    private static IEnumerable<Mark> Dense(WeightSnapshot snapshot, IReadOnlyList<long>? dense) => dense is null ? [] :
    [
        // A step of the outline goes from its bin's left edge to its right one.
        new Line("of the dense run, at its end", DenseColor, [.. dense.SelectMany((count, bin) => new Point[]
        {
            new(-snapshot.Range + (bin * snapshot.BinWidth), count), new(-snapshot.Range + ((bin + 1) * snapshot.BinWidth), count),
        })]) { HasMarkers = false },
    ];

    /// <summary>m = σ((w² − t²)/τ), on an axis of its own.</summary>
    private static IEnumerable<Mark> Mask(WeightSnapshot snapshot, double range, string name)
    {
        if (snapshot is not { Threshold: { } threshold, Temperature: { } temperature })
        {
            return [];
        }

        var weights = Enumerable.Range(0, Points).Select(i => range * ((2.0 * i / (Points - 1)) - 1));
        var mask = weights.Select(w => new Point(w, 1 / (1 + Math.Exp(((threshold * threshold) - (w * w)) / temperature))));
        return
        [
            new Rule("threshold ±t", MaskColor, [-threshold, threshold]) { IsUpright = true },
            new Line(name, MaskColor, [.. mask]) { HasMarkers = false, IsOnRight = true },
        ];
    }
}
