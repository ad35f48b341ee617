using Pdp.Samples.Drawing;

namespace Pdp.Samples.Comparison;

/// <summary>The score of the committed networks against their sparsity and against their cost.</summary>
internal static class ScoreCharts
{
    private const string Unstructured = "unstructured";

    /// <summary>The mean of each row over the sparsity measured, unstructured; null where none of it has finished.</summary>
    public static Chart? OverSparsity(Results results, Look look)
    {
        var columns = results.Columns.Where(column => results.StrategyOf(column) == Unstructured).ToArray();
        Line[] lines = [.. results.Rows.Select(row => look.LineOf(row, [.. Points(row)])).Where(line => line.Points.Count > 0)];
        return lines.Length == 0 ? null : Look.Chart(
            $"Unstructured sparsity: {results.Sample.Metric.Name} of the committed networks",
            Ticks.Axis("weights removed, % of the prunable ones", [.. lines.SelectMany(line => line.Points).Select(point => point.X)],
                digits: 1, margin: 1),
            results.Sample.Metric.Axis,
            [.. lines, .. look.References(), .. Without(results, columns)]);

        IEnumerable<Point> Points(string row) => columns.Select(column => results.Of(row, column)).Where(cells => cells.Count > 0)
            .Select(cells => new Point(
                100 * cells.Average(cell => cell.Report.Sparsity), results.Sample.Metric.Factor * Score.Of(cells).Mean))
            .OrderBy(point => point.X);
    }

    /// <summary>The mean over the mean time of training, with bars over the spread of the seeds.</summary>
    public static Chart OverCost(Results results, Look look, string column)
    {
        // 1 is the dense run's.
        var times = new List<double> { 1 };
        var marks = new List<Mark>();
        foreach (var row in results.Rows.Where(row => results.Of(row, column).Count > 0))
        {
            Result[] timed = [.. results.Of(row, column).Where(cell => cell.Report.StepRatio is not null)];
            if (timed.Length == 0)
            {
                marks.Add(new Words($"{row}: not timed"));
                continue;
            }

            var (score, factor) = (Score.Of(timed), results.Sample.Metric.Factor);
            var point = new Point(timed.Average(cell => cell.Report.StepRatio!.Value), factor * score.Mean);
            marks.Add(new Spreads(look.ColorOf(row), score.Spread is { } spread ? [(point, factor * spread)] : []));
            marks.Add(look.LineOf(row, [point]));
            times.Add(point.X);
        }

        return Look.Chart(
            $"{column}: {results.Sample.Metric.Name} over cost",
            Ticks.Axis("time of training, over that of the same without pruning", times, digits: 3, margin: 0.005),
            results.Sample.Metric.Axis,
            [.. marks, .. look.References(), .. look.RowsWithout(column)]);
    }

    private static IEnumerable<Words> Without(Results results, string[] columns)
    {
        foreach (var row in results.Rows)
        {
            string[] without = [.. columns.Where(column => results.Planned(row, column) > 0 && results.Of(row, column).Count == 0)];
            if (without.Length > 0)
            {
                yield return new Words($"{row}: {string.Join(", ", without.Select(column => $"{column} {results.StateOf(row, column)}"))}");
            }
        }
    }
}
