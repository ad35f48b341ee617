using ScottPlot;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Histograms of weights over the epochs, with threshold and mask.</summary>
internal static class WeightCharts
{
    private const int Points = 400;
    private const int Moments = 3;

    /// <summary>A row a layer, from the first epoch to the last; null of a run without a history.</summary>
    public static Multiplot? Of(Result result)
    {
        var layers = result.Folder.History().GroupBy(snapshot => snapshot.Layer).Select(Chosen).ToArray();
        if (layers.Length == 0)
        {
            return null;
        }

        var multiplot = new Multiplot();
        multiplot.AddPlots(layers.Sum(moments => moments.Length));
        multiplot.Layout = new ScottPlot.MultiplotLayouts.Grid(layers.Length, layers.Max(moments => moments.Length));
        foreach (var (index, snapshot) in layers.SelectMany(moments => moments).Index())
        {
            Draw(multiplot.GetPlot(index), snapshot);
        }

        return multiplot;
    }

    private static WeightSnapshot[] Chosen(IEnumerable<WeightSnapshot> snapshots)
    {
        WeightSnapshot[] all = [.. snapshots];
        return [.. Enumerable.Range(0, Moments).Select(i => all[i * (all.Length - 1) / (Moments - 1)]).Distinct()];
    }

    private static void Draw(Plot plot, WeightSnapshot snapshot)
    {
        var width = 2 * snapshot.Range / snapshot.Counts.Count;
        var bars = plot.Add.Bars(
            snapshot.Counts.Select((_, bin) => -snapshot.Range + ((bin + 0.5) * width)).ToArray(),
            snapshot.Counts.Select(count => (double)count).ToArray());
        foreach (var bar in bars.Bars)
        {
            bar.Size = width;
            bar.LineWidth = 0;
        }

        if (snapshot is { Threshold: { } threshold, Temperature: { } temperature })
        {
            DrawMask(plot, snapshot, threshold, temperature);
        }

        plot.Title(FormattableString.Invariant($"{snapshot.Layer}, after epoch {snapshot.Epoch}"), size: 14);
    }

    // The mask on its own axis, from 0 to 1.
    private static void DrawMask(Plot plot, WeightSnapshot snapshot, double threshold, double temperature)
    {
        var xs = Enumerable.Range(0, Points).Select(i => snapshot.Range * ((2.0 * i / (Points - 1)) - 1)).ToArray();
        var mask = plot.Add.Scatter(xs, xs.Select(w => 1 / (1 + Math.Exp(((threshold * threshold) - (w * w)) / temperature))).ToArray(), Colors.Red);
        mask.MarkerSize = 0;
        mask.Axes.YAxis = plot.Axes.Right;
        plot.Axes.Right.Min = 0;
        plot.Axes.Right.Max = 1.05;
        plot.Add.VerticalLine(threshold, 1, Colors.Black, LinePattern.Dashed);
        plot.Add.VerticalLine(-threshold, 1, Colors.Black, LinePattern.Dashed);
    }
}
