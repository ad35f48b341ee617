using ScottPlot;
using SkiaSharp;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Pictures of a comparison, each as PNG and SVG.</summary>
internal static class Charts
{
    private const int Width = 900;
    private const int Height = 600;
    private const string Unstructured = "unstructured";

    /// <summary>Draws what there is results for.</summary>
    public static void Draw(Results results, string folder)
    {
        Directory.CreateDirectory(folder);
        if (results.Cells.Any(result => result.Report.Strategy == Unstructured && result.Report.Sparsity > 0))
        {
            Save(AccuracyOverSparsity(results), folder, "accuracy-sparsity");
        }

        foreach (var column in results.Columns)
        {
            var name = Cell.FileName(column);
            Save(AccuracyOverCost(results, column), folder, $"accuracy-cost-{name}");
            Save(LayerSparsity(results, column), folder, $"layers-{name}");
            if (results.Of(Methods.Pdp, column) is [var first, ..] && WeightCharts.Of(first) is { } weights)
            {
                Save(weights, folder, $"weights-{name}");
            }
        }
    }

    /// <summary>Mean accuracy of each method over the sparsity measured, unstructured.</summary>
    private static Plot AccuracyOverSparsity(Results results)
    {
        var plot = Titled("Unstructured: accuracy of the hardened network", "sparsity, %", "top-1, %");
        foreach (var row in results.Rows)
        {
            var points = results.Columns
                .Select(column => results.Of(row, column))
                .Where(cells => cells.Count > 0 && cells[0].Report.Strategy == Unstructured)
                .Select(cells => (X: 100 * cells.Average(cell => cell.Report.Sparsity), Y: 100 * cells.Average(cell => cell.Report.Accuracy)))
                .OrderBy(point => point.X)
                .ToArray();
            if (points.Length > 0)
            {
                plot.Add.Scatter(points.Select(point => point.X).ToArray(), points.Select(point => point.Y).ToArray()).LegendText = row;
            }
        }

        if (results.Dense.Count > 0)
        {
            var line = plot.Add.HorizontalLine(100 * results.Dense.Average(result => result.Report.Accuracy), pattern: LinePattern.Dashed);
            line.LegendText = Methods.Dense;
        }

        plot.ShowLegend(Alignment.LowerLeft);
        return plot;
    }

    /// <summary>Mean accuracy over the mean step ratio.</summary>
    private static Plot AccuracyOverCost(Results results, string column)
    {
        var plot = Titled($"{column}: accuracy over cost", "step, over one without pruning", "top-1, %");
        foreach (var row in results.Rows)
        {
            var cells = results.Of(row, column);
            if (cells.Count > 0)
            {
                var marker = plot.Add.Marker(cells.Average(cell => cell.Report.StepRatio ?? 1), 100 * cells.Average(cell => cell.Report.Accuracy), size: 12);
                marker.LegendText = row;
            }
        }

        plot.ShowLegend(Alignment.LowerRight);
        return plot;
    }

    /// <summary>The sparsity of each layer, of each method's first seed.</summary>
    private static Plot LayerSparsity(Results results, string column)
    {
        var plot = Titled($"{column}: sparsity per layer", "", "sparsity, %");
        foreach (var row in results.Rows)
        {
            if (results.Of(row, column) is [var first, ..])
            {
                var layers = first.Folder.Layers();
                plot.Add.Scatter(Enumerable.Range(0, layers.Count).Select(i => (double)i).ToArray(), layers.Select(layer => 100.0 * layer.Zeros / layer.Weights).ToArray()).LegendText = row;
                plot.Axes.Bottom.SetTicks([.. Enumerable.Range(0, layers.Count).Select(i => (double)i)], [.. layers.Select(layer => layer.Layer.Replace(".weight", "", StringComparison.Ordinal))]);
            }
        }

        plot.Axes.Bottom.TickLabelStyle.Rotation = 60;
        plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleLeft;
        plot.Axes.Bottom.MinimumSize = 110;
        plot.ShowLegend(Alignment.LowerRight);
        return plot;
    }

    private static Plot Titled(string title, string x, string y)
    {
        var plot = new Plot();
        plot.Title(title);
        plot.XLabel(x);
        plot.YLabel(y);
        return plot;
    }

    private static void Save(Multiplot plot, string folder, string name)
    {
        var (width, height) = (3 * Width / 2, 3 * Height / 2);
        plot.SavePng(Path.Combine(folder, $"{name}.png"), width, height);
        using var file = File.Create(Path.Combine(folder, $"{name}.svg"));
        using var canvas = SKSvgCanvas.Create(new SKRect(0, 0, width, height), file);
        plot.Render(canvas, new PixelRect(0, width, height, 0));
    }

    private static void Save(Plot plot, string folder, string name)
    {
        plot.SavePng(Path.Combine(folder, $"{name}.png"), Width, Height);
        plot.SaveSvg(Path.Combine(folder, $"{name}.svg"), Width, Height);
        plot.Dispose();
    }
}
