using Pdp.Samples.Drawing;

namespace Pdp.Samples.Comparison;

/// <summary>How charts look: a row has the same color and shape in all of them, and rows without a score are named in the legend.</summary>
internal sealed class Look(Results results)
{
    private const int StartColor = 7;
    private const int DenseColor = 8;

    /// <summary>A chart of these marks.</summary>
    public static Chart Chart(string title, Axis x, string unit, IReadOnlyList<Mark> marks) => new()
    {
        Title = title,
        X = x,
        Y = Axis.Around(unit, marks.SelectMany(Heights)),
        Marks = marks,
        Width = 760,
        Height = 480,
    };

    /// <summary>The number of a row's color.</summary>
    public int ColorOf(string row) => Math.Max(0, results.Rows.ToList().IndexOf(row));

    /// <summary>A row's points; PDP's stand out.</summary>
    public Line LineOf(string row, IReadOnlyList<Point> points) => new(row, ColorOf(row), points) { IsBold = row == Cell.PdpMethod };

    /// <summary>Lines at the scores of the dense runs and of the weights that all runs start from, as far as they are known.</summary>
    public IEnumerable<Mark> References()
    {
        yield return results.Dense.Count > 0
            ? At(results.Dense.Average(result => result.Report.Score), Cell.DenseMethod, DenseColor)
            : new Words($"{Cell.DenseMethod}: {results.StateOf(Cell.DenseMethod, Cell.DenseColumn)}");
        if (results.StartScore is { } start)
        {
            yield return At(start, "before training", StartColor);
        }
    }

    /// <summary>Names the rows of a column that have no number: a failed method should not vanish.</summary>
    public IEnumerable<Words> RowsWithout(string column) => results.Rows
        .Where(row => results.Planned(row, column) > 0 && results.Of(row, column).Count == 0)
        .Select(row => new Words($"{row}: {results.StateOf(row, column)}"));

    private Rule At(double score, string name, int color)
    {
        var metric = results.Sample.Metric;
        return new($"{name}, {metric.Number(score)}{metric.Unit}", color, [metric.Factor * score]);
    }

    private static IEnumerable<double> Heights(Mark mark) => mark switch
    {
        Line line => line.Points.Select(point => point.Y),
        Rule rule => rule.At,
        Spreads spreads => spreads.Bars.SelectMany(bar => new[] { bar.Middle.Y - bar.Half, bar.Middle.Y + bar.Half }),
        _ => [],
    };
}
