using Pdp.Samples.Reports;
using ScottPlot;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>The histogram of a layer's weights after an epoch, with threshold and mask, beside the dense run's.</summary>
internal static class WeightChart
{
    private const int Points = 400;

    private static readonly Color Bar = Color.FromHex("#8ab6dd");
    private static readonly Color Mask = Color.FromHex("#c62828");
    private static readonly Color Dense = Colors.Black;

    /// <summary>Title and legend of all histograms of a run.</summary>
    public static Plot Header(Result run, DenseWeights dense, bool hasMasks)
    {
        var plot = new Plot();
        plot.HideAxesAndGrid();
        plot.Title($"{run.Cell.Column}, {run.Cell.Row}, seed {run.Cell.Seed}: weights and masks over the epochs", size: 16);
        LegendItem weights = new() { LabelText = "weights", FillColor = Bar };
        LegendItem reference = dense.Layers.Count == 0
            ? new() { LabelText = "(the dense run has left no weights)" }
            : new() { LabelText = "of the dense run, at its end", LineColor = Dense, LineWidth = 1.5f };
        LegendItem mask = new() { LabelText = MaskOf(run.Report.Strategy), LineColor = Mask, LineWidth = 2 };
        LegendItem threshold = new() { LabelText = "threshold ±t", LineColor = Mask, LineWidth = 1.5f, LinePattern = LinePattern.Dashed };
        plot.Legend.FontSize = 13;
        plot.Legend.SymbolWidth = 30;
        plot.Legend.TightHorizontalWrapping = true;
        plot.Legend.ShadowColor = plot.Legend.OutlineColor = Colors.Transparent;
        plot.Legend.Orientation = Orientation.Horizontal;
        plot.ShowLegend(hasMasks ? [weights, reference, mask, threshold] : [weights, reference], Alignment.LowerCenter);
        return plot;
    }

    /// <summary>One histogram.</summary>
    /// <param name="snapshot">The weights.</param>
    /// <param name="dense">The dense run's in the same bins; null where there are none.</param>
    public static Plot Of(WeightSnapshot snapshot, long[]? dense)
    {
        var plot = new Plot();
        plot.Title(FormattableString.Invariant($"{LayerChart.Short(snapshot.Layer)}, epoch {snapshot.Epoch}"), size: 13);
        plot.XLabel("weight w", size: 12);
        plot.YLabel(FormattableString.Invariant($"weights per bin of {2 * snapshot.Range / snapshot.Counts.Count:G2}"), size: 12);
        AddCounts(plot, snapshot, dense);
        if (snapshot is { Threshold: { } threshold, Temperature: { } temperature })
        {
            AddMask(plot, snapshot.Range, threshold, temperature);
        }

        plot.Axes.SetLimitsX(-snapshot.Range, snapshot.Range);
        plot.Axes.SetLimitsY(0, 1.05 * snapshot.Counts.Concat(dense ?? []).Max());
        return plot;
    }

    /// <summary>What the curve is, as the histogram is one of single weights.</summary>
    private static string MaskOf(string strategy) => strategy switch
    {
        "unstructured" => "mask m(w)",
        "channel" => "mask of a channel of root mean square |w|",
        _ => "mask m(w), at the groups' mean threshold",
    };

    private static void AddCounts(Plot plot, WeightSnapshot snapshot, long[]? dense)
    {
        var width = 2 * snapshot.Range / snapshot.Counts.Count;
        double[] middles = [.. snapshot.Counts.Select((_, bin) => -snapshot.Range + ((bin + 0.5) * width))];
        var bars = plot.Add.Bars(middles, snapshot.Counts.Select(count => (double)count).ToArray());
        foreach (var bar in bars.Bars)
        {
            bar.Size = width;
            bar.LineWidth = 0;
            bar.FillColor = Bar;
        }

        if (dense is not null)
        {
            // A step begins at its bin's left edge.
            double[] edges = [.. middles.Select(middle => middle - (width / 2))];
            var outline = plot.Add.Scatter(edges, dense.Select(count => (double)count).ToArray(), Dense);
            outline.ConnectStyle = ConnectStyle.StepHorizontal;
            outline.MarkerSize = 0;
            outline.LineWidth = 1.2f;
        }
    }

    // The mask on its own axis, from 0 to 1.
    private static void AddMask(Plot plot, double range, double threshold, double temperature)
    {
        double[] xs = [.. Enumerable.Range(0, Points).Select(i => range * ((2.0 * i / (Points - 1)) - 1))];
        double[] masks = [.. xs.Select(w => 1 / (1 + Math.Exp(((threshold * threshold) - (w * w)) / temperature)))];
        var mask = plot.Add.Scatter(xs, masks, Mask);
        mask.MarkerSize = 0;
        mask.LineWidth = 2;
        mask.Axes.YAxis = plot.Axes.Right;
        plot.Axes.Right.Min = 0;
        plot.Axes.Right.Max = 1.05;
        plot.Axes.Right.Label.Text = "mask m";
        plot.Axes.Right.Label.FontSize = 12;
        plot.Axes.Right.SetTicks([0, 0.5, 1], ["0", "½", "1"]);
        foreach (var t in new[] { -threshold, threshold })
        {
            plot.Add.VerticalLine(t, 1.5f, Mask, LinePattern.Dashed);
        }
    }
}
