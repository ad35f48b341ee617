using Pdp.Samples.Drawing;

namespace Pdp.Samples.Comparison;

/// <summary>The sparsity of each layer, of each row's first seed.</summary>
internal static class LayerChart
{
    public static Chart Of(Results results, Look look, string column)
    {
        string[] names = [];
        var marks = new List<Mark>();
        foreach (var row in results.Rows.Where(row => results.Of(row, column).Count > 0))
        {
            var layers = results.Of(row, column)[0].Folder.Layers();
            names = names.Length == 0 ? [.. layers.Select(layer => layer.Layer)] : names;
            var all = layers.Select(layer => new Point(Array.IndexOf(names, layer.Layer), 100.0 * layer.Zeros / layer.Weights));
            Point[] points = [.. all.Where(point => point.X >= 0)];
            marks.Add(points.Length == 0 ? new Words($"{row}: no layers.csv") : look.LineOf(row, points));
        }

        return Look.Chart(
            $"{column}: sparsity of each layer, first seed",
            Axis.Named("layer, from the input to the output", [.. names.DefaultIfEmpty("–").Select(Short)]),
            "weights removed, %",
            [.. marks, new Rule($"{Cell.DenseMethod}, 0 %", 8, [0]), new Rule(null, 8, [100]), .. look.RowsWithout(column)]);
    }

    /// <summary>A parameter's name without the ending that all have.</summary>
    public static string Short(string name) => name.Replace(".weight", "", StringComparison.Ordinal);
}
