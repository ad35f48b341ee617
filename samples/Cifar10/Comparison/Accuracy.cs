using System.Globalization;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>The accuracy of a row in a column: a fraction, and half of the spread over the seeds; null of a single one.</summary>
internal sealed record Accuracy(double Mean, double? Spread)
{
    public static Accuracy Of(IReadOnlyList<Result> cells)
    {
        double[] values = [.. cells.Select(cell => cell.Report.Accuracy)];
        return new(values.Average(), values.Length > 1 ? (values.Max() - values.Min()) / 2 : null);
    }

    /// <summary>Whether the two spreads reach each other.</summary>
    public bool IsWithinNoiseOf(Accuracy best) => best.Mean - Mean <= (best.Spread ?? 0) + (Spread ?? 0);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{100 * Mean:0.00}{(Spread is { } spread ? $" ± {100 * spread:0.00}" : "")}");
}
