using System.Globalization;
using System.Text;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>What came out of a comparison.</summary>
internal sealed class Results(IEnumerable<CellFolder> folders)
{
    /// <summary>The finished cells, in the recipe's order.</summary>
    public IReadOnlyList<Result> Cells { get; } = [.. folders.Select(folder => (Folder: folder, Report: folder.Report())).Where(pair => pair.Report is not null).Select(pair => new Result(pair.Folder, pair.Report!))];

    /// <summary>The columns with something removed.</summary>
    public IReadOnlyList<string> Columns => [.. Pruned.Select(result => result.Cell.Column).Distinct()];

    /// <summary>The methods, dense training aside.</summary>
    public IReadOnlyList<string> MethodNames => [.. Pruned.Select(result => result.Cell.Method).Distinct()];

    /// <summary>The dense runs.</summary>
    public IReadOnlyList<Result> Dense => [.. Cells.Where(result => result.Cell.Column == Cell.DenseColumn)];

    private IEnumerable<Result> Pruned => Cells.Where(result => result.Cell.Column != Cell.DenseColumn);

    /// <summary>The seeds of a method in a column.</summary>
    public IReadOnlyList<Result> Of(string method, string column) => [.. Pruned.Where(result => result.Cell.Method == method && result.Cell.Column == column)];

    /// <summary>Peak memory over that of the dense run of the same seed.</summary>
    public double? MemoryRatio(Result result) =>
        Dense.FirstOrDefault(dense => dense.Cell.Seed == result.Cell.Seed) is { } dense ? result.Report.PeakMemory / (double)dense.Report.PeakMemory : null;

    /// <summary>A line a cell, in full precision.</summary>
    public string ToCsv()
    {
        var csv = new StringBuilder("column,method,strategy,seed,epochs,accuracy,sparsity,macs_removed,soft_accuracy,step_ratio,memory_ratio,extra_parameters,seconds_per_epoch\n");
        foreach (var result in Cells)
        {
            var report = result.Report;
            csv.Append(
                CultureInfo.InvariantCulture,
                $"\"{result.Cell.Column}\",{report.Method},{report.Strategy},{report.Seed},{report.Epochs},{report.Accuracy:R},{report.Sparsity:R},{report.MacsRemoved:R},{report.SoftAccuracy:R},{report.StepRatio:R},{MemoryRatio(result):R},{report.ExtraParameters},{report.SecondsPerEpoch:R}\n");
        }

        return csv.ToString();
    }

    /// <summary>Two tables: accuracy by method and column, and what the methods cost.</summary>
    public string ToMarkdown() => $"{Accuracies()}\n{Costs()}";

    /// <summary>Top-1 of the hardened networks in %, mean ± half of the spread over the seeds; what was removed below.</summary>
    private string Accuracies()
    {
        var table = new StringBuilder();
        var best = Columns.ToDictionary(column => column, column => MethodNames.Select(method => Of(method, column)).Where(cells => cells.Count > 0).Max(cells => cells.Average(cell => cell.Report.Accuracy)));
        table.Append(CultureInfo.InvariantCulture, $"| top-1, % | {string.Join(" | ", Columns)} |\n|---{string.Concat(Columns.Select(_ => "|---"))}|\n");
        foreach (var method in MethodNames)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {method} | {string.Join(" | ", Columns.Select(column => Entry(Of(method, column), best[column])))} |\n");
        }

        table.Append(CultureInfo.InvariantCulture, $"| dense | {string.Join(" | ", Columns.Select((_, index) => index == 0 ? Entry(Dense, double.NaN) : ""))} |\n");
        return table.ToString();
    }

    private string Costs()
    {
        var table = new StringBuilder("| cost | step, over one without pruning | peak memory, over dense | extra parameters |\n|---|---|---|---|\n");
        foreach (var method in MethodNames)
        {
            var cells = Pruned.Where(result => result.Cell.Method == method).ToArray();
            table.Append(CultureInfo.InvariantCulture, $"| {method} | {Median(cells.Select(cell => cell.Report.StepRatio)):0.000} | {Median(cells.Select(MemoryRatio)):0.00} | {cells.Max(cell => cell.Report.ExtraParameters):N0} |\n");
        }

        return table.ToString();
    }

    private static string Entry(IReadOnlyList<Result> cells, double best)
    {
        if (cells.Count == 0)
        {
            return "–";
        }

        var (mean, spread) = (cells.Average(cell => cell.Report.Accuracy), (cells.Max(cell => cell.Report.Accuracy) - cells.Min(cell => cell.Report.Accuracy)) / 2);
        var removed = cells.Average(cell => cell.Report.MacsRemoved ?? cell.Report.Sparsity);
        var text = string.Create(CultureInfo.InvariantCulture, $"{100 * mean:0.00} ± {100 * spread:0.00}");
        return string.Create(CultureInfo.InvariantCulture, $"{(mean.Equals(best) ? $"**{text}**" : text)}{(removed > 0 ? $" ({100 * removed:0.0} %)" : "")}");
    }

    private static double? Median(IEnumerable<double?> values)
    {
        double[] sorted = [.. values.OfType<double>().Order()];
        return sorted.Length == 0 ? null : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
