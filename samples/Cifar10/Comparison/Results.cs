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

    /// <summary>The rows, dense training aside.</summary>
    public IReadOnlyList<string> Rows => [.. Pruned.Select(result => result.Cell.Row).Distinct()];

    /// <summary>The dense runs.</summary>
    public IReadOnlyList<Result> Dense => [.. Cells.Where(result => result.Cell.Column == Cell.DenseColumn)];

    private IEnumerable<Result> Pruned => Cells.Where(result => result.Cell.Column != Cell.DenseColumn);

    /// <summary>The seeds of a row in a column.</summary>
    public IReadOnlyList<Result> Of(string row, string column) => [.. Pruned.Where(result => result.Cell.Row == row && result.Cell.Column == column)];

    /// <summary>Peak memory over that of the dense run of the same seed.</summary>
    public double? MemoryRatio(Result result) =>
        Dense.FirstOrDefault(dense => dense.Cell.Seed == result.Cell.Seed) is { } dense ? result.Report.PeakMemory / (double)dense.Report.PeakMemory : null;

    /// <summary>A line a cell, in full precision.</summary>
    public string ToCsv()
    {
        var csv = new StringBuilder("column,row,method,strategy,seed,epochs,accuracy,sparsity,macs_removed,soft_accuracy,step_ratio,memory_ratio,extra_parameters,seconds_per_epoch\n");
        foreach (var result in Cells)
        {
            var report = result.Report;
            csv.Append(
                CultureInfo.InvariantCulture,
                $"\"{result.Cell.Column}\",\"{result.Cell.Row}\",{report.Method},{report.Strategy},{report.Seed},{report.Epochs},{report.Accuracy:R},{report.Sparsity:R},{report.MacsRemoved:R},{report.SoftAccuracy:R},{report.StepRatio:R},{MemoryRatio(result):R},{report.ExtraParameters},{report.SecondsPerEpoch:R}\n");
        }

        return csv.ToString();
    }

    /// <summary>Accuracy by row and column, time by row and column, and what else the rows cost.</summary>
    public string ToMarkdown() => $"{Accuracies()}\n{Times()}\n{Costs()}";

    /// <summary>Top-1 of the hardened networks in %, mean ± half of the spread over the seeds, and what was removed.</summary>
    private string Accuracies()
    {
        var table = Header("top-1, %");
        foreach (var row in Rows)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {row} | {string.Join(" | ", Columns.Select(column => Entry(Of(row, column), Best(column))))} |\n");
        }

        var dense = Dense.Count == 0 ? "–" : Accuracy.Of(Dense).ToString();
        table.Append(CultureInfo.InvariantCulture, $"| dense | {string.Join(" | ", Columns.Select((_, index) => index == 0 ? dense : ""))} |\n");
        return table.ToString();
    }

    private string Times()
    {
        var table = Header("training, over the same without pruning");
        foreach (var row in Rows)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {row} | {string.Join(" | ", Columns.Select(column => Median(Of(row, column).Select(cell => cell.Report.StepRatio)) is { } ratio ? ratio.ToString("0.000", CultureInfo.InvariantCulture) : "–"))} |\n");
        }

        return table.ToString();
    }

    private string Costs()
    {
        var table = new StringBuilder("| other costs | peak memory, over dense | extra parameters |\n|---|---|---|\n");
        foreach (var row in Rows)
        {
            var cells = Pruned.Where(result => result.Cell.Row == row).ToArray();
            table.Append(CultureInfo.InvariantCulture, $"| {row} | {Median(cells.Select(MemoryRatio)):0.00} | {cells.Max(cell => cell.Report.ExtraParameters):N0} |\n");
        }

        return table.ToString();
    }

    private StringBuilder Header(string what) => new($"| {what} | {string.Join(" | ", Columns)} |\n|---{string.Concat(Columns.Select(_ => "|---"))}|\n");

    private Accuracy Best(string column) => Rows.Select(row => Of(row, column)).Where(cells => cells.Count > 0).Select(Accuracy.Of).MaxBy(accuracy => accuracy.Mean)!;

    /// <summary>Bold for the first and those that its spread and theirs don't tell from it; † where another share was removed than asked for.</summary>
    private static string Entry(IReadOnlyList<Result> cells, Accuracy best)
    {
        if (cells.Count == 0)
        {
            return "–";
        }

        var accuracy = Accuracy.Of(cells);
        var removed = cells.Average(cell => cell.Report.MacsRemoved ?? cell.Report.Sparsity);
        var mark = cells.Any(Misses) ? " †" : "";
        var text = accuracy.IsWithinNoiseOf(best) ? $"**{accuracy}**" : $"{accuracy}";
        return string.Create(CultureInfo.InvariantCulture, $"{text} ({100 * removed:0.0} %{mark})");
    }

    /// <summary>Whether single weights were asked for and more than half a percent more or fewer are gone.</summary>
    private static bool Misses(Result result) =>
        CommandLine.Parse<Settings>(result.Cell.Arguments) is { Strategy: "unstructured" } asked && Math.Abs(asked.Sparsity - result.Report.Sparsity) > 0.005;

    private static double? Median(IEnumerable<double?> values)
    {
        double[] sorted = [.. values.OfType<double>().Order()];
        return sorted.Length == 0 ? null : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
