using ScottPlot;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>The sparsity of each layer, of each row's first seed.</summary>
internal static class LayerChart
{
    public static Plot Of(Results results, Look look, string column)
    {
        var title = $"{column}: sparsity of each layer, first seed";
        var plot = Look.Titled(title, "layer, from the input to the output", "weights removed, %");
        string[] names = [];
        foreach (var row in results.Rows)
        {
            if (results.Of(row, column) is [var first, ..])
            {
                var layers = first.Folder.Layers();
                names = names.Length == 0 ? [.. layers.Select(layer => layer.Layer)] : names;
                Add(plot, look, row, names, layers);
            }
        }

        look.AddRowsWithout(plot, column);
        AddDense(plot);
        plot.Axes.SetLimitsY(-3, 103);
        Name(plot.Axes.Bottom, names);
        Look.AddLegend(plot);
        return plot;
    }

    private static void Add(Plot plot, Look look, string row, string[] names, IReadOnlyList<LayerZeros> layers)
    {
        var all = layers.Select(layer => new Coordinates(Array.IndexOf(names, layer.Layer), 100.0 * layer.Zeros / layer.Weights));
        Coordinates[] points = [.. all.Where(point => point.X >= 0)];
        if (points.Length == 0)
        {
            Look.AddWords(plot, $"{row}: no layers.csv");
            return;
        }

        var scatter = plot.Add.Scatter(points, look.ColorOf(row));
        scatter.LineWidth = 1.5f;
        scatter.MarkerStyle = look.MarkerOf(row);
        scatter.LegendText = row;
    }

    private static void AddDense(Plot plot)
    {
        var line = plot.Add.HorizontalLine(0, 2, Colors.Black, LinePattern.Dashed);
        line.LegendText = $"{Methods.Dense}, 0 %";
    }

    private static void Name(IXAxis axis, string[] names)
    {
        axis.SetTicks([.. names.Select((_, index) => (double)index)], [.. names.Select(Short)]);
        axis.TickLabelStyle.Rotation = -45;
        axis.TickLabelStyle.Alignment = Alignment.MiddleRight;
        axis.MinimumSize = 115;
    }

    /// <summary>A parameter's name without what all have.</summary>
    public static string Short(string name) => name.Replace(".weight", "", StringComparison.Ordinal);
}
