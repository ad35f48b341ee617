using Pdp.Samples.Reports;
using ScottPlot;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Histograms of weights over the epochs, with threshold and mask.</summary>
internal static class WeightCharts
{
    private const int Moments = 3;
    private const int HeightOfRow = 250;

    /// <summary>Those of PDP's first seed, a row a layer, from the first epoch to the last; null of a run without a history.</summary>
    public static Figure? Of(Results results, string column)
    {
        var run = results.Cells.FirstOrDefault(result => result.Cell.Column == column && result.Cell.Method == Methods.Pdp);
        var history = run?.Folder.History().Where(snapshot => snapshot.Range > 0) ?? [];
        var layers = history.GroupBy(snapshot => snapshot.Layer).Select(Chosen).ToArray();
        if (run is null || layers.Length == 0)
        {
            return null;
        }

        var dense = DenseWeights.Of(run);
        WeightSnapshot[] all = [.. layers.SelectMany(moments => moments)];
        var header = WeightChart.Header(run, dense, hasMasks: all.Any(snapshot => snapshot.Threshold is not null));
        var multiplot = new Multiplot(header) { Layout = new HeadedGrid(layers.Length, layers.Max(moments => moments.Length)) };
        foreach (var snapshot in all)
        {
            multiplot.AddPlot(WeightChart.Of(snapshot, dense.In(snapshot)));
        }

        return new Figure(multiplot, Look.Width, HeadedGrid.HeaderHeight + (layers.Length * HeightOfRow));
    }

    private static WeightSnapshot[] Chosen(IEnumerable<WeightSnapshot> snapshots)
    {
        WeightSnapshot[] all = [.. snapshots];
        return [.. Enumerable.Range(0, Moments).Select(i => all[i * (all.Length - 1) / (Moments - 1)]).Distinct()];
    }
}
