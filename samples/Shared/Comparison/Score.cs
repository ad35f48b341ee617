using System.Globalization;

namespace Pdp.Samples.Comparison;

/// <summary>The mean score of a row in a column, and half of the spread over the seeds; null for a single one.</summary>
internal sealed record Score(double Mean, double? Spread, Metric Metric)
{
    public static Score Of(IReadOnlyList<Result> cells)
    {
        double[] values = [.. cells.Select(cell => cell.Report.Score)];
        return new(values.Average(), values.Length > 1 ? (values.Max() - values.Min()) / 2 : null, cells[0].Folder.Sample.Metric);
    }

    /// <summary>The best of a column, those that the spreads don't separate from it, and all that are better than one of these.</summary>
    /// <param name="column">The scores that compete; none or more, of one metric.</param>
    public static HashSet<Score> Leaders(IReadOnlyCollection<Score> column)
    {
        if (column.Count == 0)
        {
            return [];
        }

        // What a single seed's spread would be isn't known, and 0 would make a lucky seed stand out from means of many.
        var unknown = column.Max(score => score.Spread) ?? 0;
        var metric = column.First().Metric;
        var best = metric.Best(column);
        var last = metric.Worst(column.Where(
            score => Math.Abs(best.Mean - score.Mean) <= (best.Spread ?? unknown) + (score.Spread ?? unknown)));
        return column.Where(score => !metric.IsBetter(last.Mean, score.Mean)).ToHashSet();
    }

    public override string ToString() =>
        Metric.Number(Mean) + (Spread is { } spread ? string.Create(CultureInfo.InvariantCulture, $" ± {Metric.Number(spread)}") : "");
}
