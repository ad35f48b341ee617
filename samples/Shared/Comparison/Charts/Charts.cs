using Pdp.Training;

namespace Pdp.Samples.Comparison;

/// <summary>Pictures of a comparison, as SVG.</summary>
internal static class Charts
{
    /// <summary>Draws whatever has results.</summary>
    public static void Draw(Results results, string folder)
    {
        var (look, metric) = (new Look(results), results.Sample.Metric.Name);
        if (ScoreCharts.OverSparsity(results, look) is { } overview)
        {
            Save(overview.ToFile(), $"{metric}-sparsity");
        }

        foreach (var column in results.Columns.Where(column => results.Rows.Any(row => results.Of(row, column).Count > 0)))
        {
            var name = Cell.FileName(column);
            Save(ScoreCharts.OverCost(results, look, column).ToFile(), $"{metric}-cost-{name}");
            Save(LayerChart.Of(results, look, column).ToFile(), $"layers-{name}");
            if (WeightCharts.Of(results, column) is { } weights)
            {
                Save(weights.ToFile(), $"weights-{name}");
            }
        }

        void Save(string picture, string name) => AtomicFile.WriteText(Path.Combine(folder, $"{name}.svg"), picture);
    }
}
