using System.Globalization;
using System.Text;

namespace Pdp.Samples.Comparison;

/// <summary>The tables of a comparison: every row and column of the recipe, whatever the state of its runs.</summary>
internal sealed class ResultsMarkdown(Results results)
{
    private const string Undefined = "–";
    private static readonly string[] CostHeads = ["time, over dense", "memory, over dense", "extra parameters"];

    public override string ToString() => $"{Scores()}\n{Times()}{Origins()}{Failed()}{Missing()}";

    /// <summary>
    /// The score of the committed networks, mean ± half of the spread over the seeds, and what was removed; beside it the cost.
    /// </summary>
    private string Scores()
    {
        var table = Header(results.Sample.Metric.Title, CostHeads);
        foreach (var row in results.Rows)
        {
            AppendRow(table, row, [.. results.Columns.Select(column => Entry(row, column)), .. Costs(row)]);
        }

        // One entry for all columns.
        AppendRow(table, Cell.DenseMethod, [DenseEntry(), .. Enumerable.Repeat("", results.Columns.Count - 1 + CostHeads.Length)]);
        return table.ToString();
    }

    private string Times()
    {
        var table = Header("training, over the same without pruning", []);
        foreach (var row in results.Rows)
        {
            var ratios = results.Columns.Select(column => Median(results.Of(row, column).Select(cell => cell.Report.StepRatio)));
            AppendRow(table, row, ratios.Select(ratio => Number(ratio, "0.000")));
        }

        return table.ToString();
    }

    /// <summary>Over all columns: the median time of training and peak memory, and the most parameters besides the weights.</summary>
    private string[] Costs(string row)
    {
        var cells = results.Columns.SelectMany(column => results.Of(row, column)).ToArray();
        return
        [
            Number(Median(cells.Select(cell => cell.Report.StepRatio)), "0.000"),
            Number(Median(cells.Select(results.MemoryRatio)), "0.00"),
            Number(cells.Length == 0 ? null : cells.Max(cell => cell.Report.ExtraParameters), "N0"),
        ];
    }

    /// <summary>
    /// Where defaults of the library have changed, cells of one row may differ in what its versions decided; and those of two
    /// machines differ as seeds do.
    /// </summary>
    private string Origins()
    {
        var versions = results.Versions.Select(made => Counted(made.Version ?? "an unrecorded version", made.Cells));
        var machines = results.Machines.Select(made => Counted(made.Machine ?? "an unrecorded machine", made.Cells));
        return results.Cells.Count == 0 ? ""
            : $"\nMade with Pdp.Core {string.Join(", ", versions)}.\n\nMade on {string.Join("; ", machines)}.\n";
    }

    private static string Counted(string what, int cells) => $"{what} ({cells} {(cells == 1 ? "cell" : "cells")})";

    private string Failed()
    {
        if (results.Failures.Count == 0)
        {
            return "";
        }

        var table = new StringBuilder("\n| failed | error |\n|---|---|\n");
        foreach (var (cell, error) in results.Failures)
        {
            AppendRow(table, $"{cell.Row}, {cell.Column}, seed {cell.Seed} (cells/{cell.Name})", [Escaped(error)]);
        }

        return table.ToString();
    }

    private string Missing()
    {
        var names = string.Join(", ", results.Missing.Select(cell => cell.Name));
        return names.Length == 0 ? "" : $"\nNot run yet, or not finished: {names}. The same command runs them.\n";
    }

    private StringBuilder Header(string what, IEnumerable<string> others)
    {
        string[] heads = [what, .. results.Columns.Select(Escaped), .. others];
        return new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", heads)} |\n")
            .Append(CultureInfo.InvariantCulture, $"{string.Concat(heads.Select(_ => "|---"))}|\n");
    }

    private static void AppendRow(StringBuilder table, string name, IEnumerable<string> entries) =>
        table.Append(CultureInfo.InvariantCulture, $"| {Escaped(name)} | {string.Join(" | ", entries)} |\n");

    /// <summary>Those that lead a column, of the ones that removed what was asked for.</summary>
    private HashSet<Score> Leaders(string column) => Score.Leaders([.. results.Rows.Select(row => results.Of(row, column))
        .Where(cells => cells.Count > 0 && !cells.Any(Misses)).Select(Score.Of)]);

    /// <summary>
    /// Bold for the best, those that the spreads don't separate from it, and what is better than one of these; † where another
    /// share was removed than the target, which is never bold.
    /// </summary>
    private string Entry(string row, string column)
    {
        var cells = results.Of(row, column);
        if (cells.Count == 0)
        {
            return State(row, column);
        }

        var score = Score.Of(cells);
        var removed = cells.Average(cell => cell.Report.RemovedMacs ?? cell.Report.Sparsity);
        var isMissed = cells.Any(Misses);
        var mark = isMissed ? " †" : "";
        var text = !isMissed && Leaders(column).Contains(score) ? $"**{score}**" : $"{score}";
        return string.Create(CultureInfo.InvariantCulture, $"{text} ({100 * removed:0.0} %{mark}{Share(cells.Count, row, column, "; ")})");
    }

    private string DenseEntry()
    {
        var share = Share(results.Dense.Count, Cell.DenseMethod, Cell.DenseColumn, "");
        return results.Dense.Count == 0
            ? State(Cell.DenseMethod, Cell.DenseColumn)
            : $"{Score.Of(results.Dense)}{(share.Length == 0 ? "" : $" ({share})")}";
    }

    /// <summary>What to say instead of a number.</summary>
    private string State(string row, string column) =>
        results.Planned(row, column) == 0 ? Undefined : results.StateOf(row, column);

    /// <summary>How many of the seeds a number is the mean of, unless it is all.</summary>
    private string Share(int finished, string row, string column, string before) =>
        results.Planned(row, column) is var planned && finished < planned
            ? string.Create(CultureInfo.InvariantCulture, $"{before}{finished} of {planned} seeds")
            : "";

    /// <summary>Whether single weights were asked for and those that are left are a twentieth more or fewer, or beyond.</summary>
    private bool Misses(Result result) =>
        results.Sample.Settings(result.Cell.Arguments) is { Strategy: "unstructured" } asked
        && Math.Abs(asked.Sparsity - result.Report.Sparsity) > 0.05 * (1 - asked.Sparsity);

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? Undefined;

    private static string Escaped(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static double? Median(IEnumerable<double?> values)
    {
        double[] sorted = [.. values.OfType<double>().Order()];
        return sorted.Length == 0 ? null : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
