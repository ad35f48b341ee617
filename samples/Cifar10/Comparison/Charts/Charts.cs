using Pdp.Training;
using ScottPlot;
using SkiaSharp;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Pictures of a comparison, each as PNG and SVG.</summary>
internal static class Charts
{
    /// <summary>Draws what there is results for.</summary>
    public static void Draw(Results results, string folder)
    {
        var look = new Look(results);
        if (AccuracyCharts.OverSparsity(results, look) is { } overview)
        {
            Save(overview, folder, "accuracy-sparsity");
        }

        foreach (var column in results.Columns.Where(column => results.Rows.Any(row => results.Of(row, column).Count > 0)))
        {
            var name = Cell.FileName(column);
            Save(AccuracyCharts.OverCost(results, look, column), folder, $"accuracy-cost-{name}");
            Save(LayerChart.Of(results, look, column), folder, $"layers-{name}");
            if (WeightCharts.Of(results, column) is { } weights)
            {
                Save(weights, folder, $"weights-{name}");
            }
        }
    }

    private static void Save(Plot plot, string folder, string name) =>
        Save(new Figure(new Multiplot(plot), Look.Width, Look.Height), folder, name);

    private static void Save(Figure figure, string folder, string name)
    {
        var (plots, width, height) = figure;
        var path = Path.Combine(folder, name);
        AtomicFile.Write($"{path}.png", file => file.Write(plots.Render(width, height).GetImageBytes(ImageFormat.Png)));
        AtomicFile.Write($"{path}.svg", file =>
        {
            using var canvas = SKSvgCanvas.Create(new SKRect(0, 0, width, height), file);
            plots.Render(canvas, new PixelRect(0, width, height, 0));
        });
    }
}
