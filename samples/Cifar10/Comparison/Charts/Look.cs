using ScottPlot;
using ScottPlot.Palettes;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>How charts look: a row has the same color and shape in all of them, and what has no number is named beside them.</summary>
internal sealed class Look(Results results)
{
    public const int Width = 900;
    public const int Height = 560;

    private static readonly Category10 Colors10 = new();
    private static readonly MarkerShape[] Shapes =
    [
        MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledDiamond,
        MarkerShape.FilledTriangleDown, MarkerShape.OpenCircle, MarkerShape.OpenSquare,
    ];

    static Look() => Fonts.Default = "DejaVu Sans";

    /// <summary>An empty plot.</summary>
    public static Plot Titled(string title, string x, string y)
    {
        var plot = new Plot();
        plot.Title(title, size: 16);
        plot.XLabel(x, size: 14);
        plot.YLabel(y, size: 14);
        plot.Axes.Bottom.TickLabelStyle.FontSize = 13;
        plot.Axes.Left.TickLabelStyle.FontSize = 13;
        plot.Axes.Left.MinimumSize = 65;
        return plot;
    }

    /// <summary>A row's markers. Those of later rows are smaller: where one lies upon another both are seen.</summary>
    public MarkerStyle MarkerOf(string row)
    {
        var index = IndexOf(row);
        return new MarkerStyle(Shapes[index % Shapes.Length], index == 0 ? 16 : Math.Max(7, 12 - index), ColorOf(row)) { LineWidth = 2 };
    }

    /// <summary>A row's color.</summary>
    public Color ColorOf(string row) => Colors10.GetColor(IndexOf(row));

    /// <summary>A legend outside of the plot.</summary>
    public static void AddLegend(Plot plot)
    {
        plot.Legend.FontSize = 13;
        plot.Legend.SymbolWidth = 36;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.ShowLegend(Edge.Right);
    }

    /// <summary>Lines at the accuracies of the dense runs and of the weights that all runs start from, as far as they are known.</summary>
    public void AddReferences(Plot plot)
    {
        if (results.Dense.Count > 0)
        {
            Add(results.Dense.Average(result => result.Report.Accuracy), Methods.Dense, LinePattern.Dashed, Colors.Black);
        }
        else
        {
            AddWords(plot, $"{Methods.Dense}: {results.StateOf(Methods.Dense, Cell.DenseColumn)}");
        }

        if (results.StartAccuracy is { } start)
        {
            Add(start, "before training", LinePattern.Dotted, Colors.Gray);
        }

        void Add(double accuracy, string name, LinePattern pattern, Color color)
        {
            var line = plot.Add.HorizontalLine(100 * accuracy, 2, color, pattern);
            line.LegendText = FormattableString.Invariant($"{name}, {100 * accuracy:0.00} %");
        }
    }

    /// <summary>Names in the legend the rows of a column without a number: a failed method should not vanish.</summary>
    public void AddRowsWithout(Plot plot, string column)
    {
        foreach (var row in results.Rows.Where(row => results.Planned(row, column) > 0 && results.Of(row, column).Count == 0))
        {
            AddWords(plot, $"{row}: {results.StateOf(row, column)}");
        }
    }

    /// <summary>A line of the legend without a sign.</summary>
    public static void AddWords(Plot plot, string text) => plot.Legend.ManualItems.Add(new LegendItem { LabelText = text });

    private int IndexOf(string row) => Math.Max(0, results.Rows.ToList().IndexOf(row));
}
