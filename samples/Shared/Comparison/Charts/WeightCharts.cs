using Pdp.Samples.Drawing;
using Pdp.Samples.Reports;

namespace Pdp.Samples.Comparison;

/// <summary>Histograms of weights over the epochs, with threshold and mask, beside those of the dense run.</summary>
internal static class WeightCharts
{
    private const int Moments = 3;

    /// <summary>Those of PDP's first seed, a row for each layer, from the first epoch to the last; null without a history.</summary>
    public static ChartGrid? Of(Results results, string column)
    {
        var run = results.Cells.FirstOrDefault(result => result.Cell.Column == column && result.Cell.Method == Cell.PdpMethod);
        var history = run?.Folder.History().Where(snapshot => snapshot.Range > 0) ?? [];
        var layers = history.GroupBy(snapshot => snapshot.Layer).Select(Chosen).ToArray();
        if (run is null || layers.Length == 0)
        {
            return null;
        }

        var dense = DenseWeights.Of(run);
        return new ChartGrid(
            $"{run.Cell.Column}, {run.Cell.Row}, seed {run.Cell.Seed}: weights and masks over the epochs"
            + (dense.Layers.Count == 0 ? " (the dense run has left no weights)" : ""),
            [.. layers.SelectMany(moments => moments).Select(snapshot => ChartOf(snapshot, dense.In(snapshot), run.Report.Strategy))],
            Columns: layers.Max(moments => moments.Length));
    }

    private static Chart ChartOf(WeightSnapshot snapshot, long[]? dense, string strategy)
    {
        var title = FormattableString.Invariant($"{LayerChart.Short(snapshot.Layer)}, epoch {snapshot.Epoch}");
        return MaskChart.Of(snapshot, title, MaskOf(strategy), dense) with { Width = 330, Height = 250 };
    }

    /// <summary>What the curve shows, as the histogram counts single weights.</summary>
    private static string MaskOf(string strategy) => strategy switch
    {
        "unstructured" => "mask m(w)",
        "channel" => "mask of a channel of this RMS",
        _ => "mask m(w), mean threshold",
    };

    private static WeightSnapshot[] Chosen(IEnumerable<WeightSnapshot> snapshots)
    {
        WeightSnapshot[] all = [.. snapshots];
        return [.. Enumerable.Range(0, Moments).Select(i => all[i * (all.Length - 1) / (Moments - 1)]).Distinct()];
    }
}
