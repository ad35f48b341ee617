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

    /// <summary>Whether the two spreads touch.</summary>
    public bool IsWithinNoiseOf(Score best) => Math.Abs(best.Mean - Mean) <= (best.Spread ?? 0) + (Spread ?? 0);

    public override string ToString() =>
        Metric.Number(Mean) + (Spread is { } spread ? string.Create(CultureInfo.InvariantCulture, $" ± {Metric.Number(spread)}") : "");
}
