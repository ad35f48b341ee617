using System.Globalization;

namespace Pdp.Samples.Comparison;

/// <summary>The number that the runs of a sample are compared by, and how it is shown.</summary>
/// <param name="Name">What it is, as in results.csv.</param>
/// <param name="Title">The head of its table.</param>
/// <param name="Axis">The label of its axis.</param>
/// <param name="Factor">What it is multiplied by to be shown.</param>
/// <param name="Unit">What is written after it.</param>
/// <param name="Range">The values that it can have.</param>
/// <param name="IsLessBetter">Whether less is better.</param>
internal sealed record Metric(string Name, string Title, string Axis, double Factor, string Unit, Interval Range, bool IsLessBetter)
{
    public static Metric Accuracy { get; } =
        new("accuracy", "top-1, %", "top-1 accuracy, %", 100, " %", Interval.Parse("[0, 1]"), IsLessBetter: false);

    public static Metric Perplexity { get; } =
        new("perplexity", "perplexity", "perplexity", 1, "", Interval.Parse("[1, ∞)"), IsLessBetter: true);

    /// <summary>A value as it is shown, without its unit.</summary>
    public string Number(double value) => (Factor * value).ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>Whether a value is better than another.</summary>
    public bool IsBetter(double value, double other) => IsLessBetter ? value < other : value > other;

    /// <summary>The best of some scores.</summary>
    public Score Best(IEnumerable<Score> scores) =>
        (IsLessBetter ? scores.MinBy(score => score.Mean) : scores.MaxBy(score => score.Mean))!;

    /// <summary>The worst of some scores.</summary>
    public Score Worst(IEnumerable<Score> scores) =>
        (IsLessBetter ? scores.MaxBy(score => score.Mean) : scores.MinBy(score => score.Mean))!;
}
