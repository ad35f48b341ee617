using ScottPlot;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>The accuracy of the committed networks against their sparsity and against their cost.</summary>
internal static class AccuracyCharts
{
    private const string Unstructured = "unstructured";
    private const string Accuracies = "top-1 accuracy, %";

    /// <summary>Mean accuracy of each row over the sparsity measured, unstructured; null where nothing of it has finished.</summary>
    public static Plot? OverSparsity(Results results, Look look)
    {
        const string title = "Unstructured sparsity: accuracy of the committed networks";
        var plot = Look.Titled(title, "weights removed, % of the prunable ones", Accuracies);
        var columns = results.Columns.Where(column => results.StrategyOf(column) == Unstructured).ToArray();
        var all = new List<Coordinates>();
        foreach (var row in results.Rows)
        {
            var measured = columns.Select(column => results.Of(row, column)).Where(cells => cells.Count > 0);
            Coordinates[] points = [.. measured.Select(PointOf).OrderBy(point => point.X)];
            Add(plot, look, row, points);
            all.AddRange(points);
        }

        if (all.Count == 0)
        {
            return null;
        }

        look.AddReferences(plot);
        AddWithout(plot, results, columns);
        Ticks.SetBottom(plot, [.. all.Select(point => point.X)], digits: 1, margin: 1);
        Look.AddLegend(plot);
        return plot;

        static Coordinates PointOf(IReadOnlyList<Result> cells) =>
            new(100 * cells.Average(cell => cell.Report.Sparsity), 100 * Accuracy.Of(cells).Mean);
    }

    /// <summary>Mean accuracy over the mean time of training, with bars over the spread of the seeds.</summary>
    public static Plot OverCost(Results results, Look look, string column)
    {
        var plot = Look.Titled($"{column}: accuracy over cost", "time of training, over that of the same without pruning", Accuracies);
        // That of the dense run.
        var times = new List<double> { 1 };
        foreach (var row in results.Rows)
        {
            Result[] timed = [.. results.Of(row, column).Where(cell => cell.Report.StepRatio is not null)];
            if (timed.Length > 0)
            {
                var accuracy = Accuracy.Of(timed);
                var point = new Coordinates(timed.Average(cell => cell.Report.StepRatio!.Value), 100 * accuracy.Mean);
                AddSpread(plot, point, 100 * accuracy.Spread ?? 0, look.ColorOf(row));
                Add(plot, look, row, [point]);
                times.Add(point.X);
            }
            else if (results.Of(row, column).Count > 0)
            {
                Look.AddWords(plot, $"{row}: not timed");
            }
        }

        look.AddReferences(plot);
        look.AddRowsWithout(plot, column);
        Ticks.SetBottom(plot, times, digits: 3, margin: 0.005);
        Look.AddLegend(plot);
        return plot;
    }

    private static void Add(Plot plot, Look look, string row, Coordinates[] points)
    {
        if (points.Length > 0)
        {
            var scatter = plot.Add.Scatter(points, look.ColorOf(row));
            scatter.LineWidth = points.Length > 1 ? 1.5f : 0;
            scatter.MarkerStyle = look.MarkerOf(row);
            scatter.LegendText = row;
        }
    }

    private static void AddSpread(Plot plot, Coordinates point, double spread, Color color)
    {
        if (spread > 0)
        {
            var bar = plot.Add.ErrorBar([point.X], [point.Y], [spread]);
            bar.Color = color;
        }
    }

    private static void AddWithout(Plot plot, Results results, string[] columns)
    {
        foreach (var row in results.Rows)
        {
            string[] without = [.. columns.Where(column => results.Planned(row, column) > 0 && results.Of(row, column).Count == 0)];
            if (without.Length > 0)
            {
                Look.AddWords(plot, $"{row}: {string.Join(", ", without.Select(column => $"{column} {results.StateOf(row, column)}"))}");
            }
        }
    }
}
