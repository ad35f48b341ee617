using System.Globalization;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>The accuracy of a row in a column: a fraction, and half of the spread over the seeds.</summary>
internal sealed record Accuracy(double Mean, double Spread)
{
    public static Accuracy Of(IReadOnlyList<Result> cells)
    {
        double[] values = [.. cells.Select(cell => cell.Report.Accuracy)];
        return new(values.Average(), (values.Max() - values.Min()) / 2);
    }

    /// <summary>Whether the two spreads reach each other.</summary>
    public bool IsWithinNoiseOf(Accuracy best) => best.Mean - Mean <= best.Spread + Spread;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{100 * Mean:0.00} ± {100 * Spread:0.00}");
}
