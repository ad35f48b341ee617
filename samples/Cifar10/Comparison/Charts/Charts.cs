using Pdp.Training;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Pictures of a comparison, as SVG.</summary>
internal static class Charts
{
    /// <summary>Draws what there is results for.</summary>
    public static void Draw(Results results, string folder)
    {
        var look = new Look(results);
        if (AccuracyCharts.OverSparsity(results, look) is { } overview)
        {
            Save(overview.ToFile(), "accuracy-sparsity");
        }

        foreach (var column in results.Columns.Where(column => results.Rows.Any(row => results.Of(row, column).Count > 0)))
        {
            var name = Cell.FileName(column);
            Save(AccuracyCharts.OverCost(results, look, column).ToFile(), $"accuracy-cost-{name}");
            Save(LayerChart.Of(results, look, column).ToFile(), $"layers-{name}");
            if (WeightCharts.Of(results, column) is { } weights)
            {
                Save(weights.ToFile(), $"weights-{name}");
            }
        }

        void Save(string picture, string name) => AtomicFile.WriteText(Path.Combine(folder, $"{name}.svg"), picture);
    }
}
