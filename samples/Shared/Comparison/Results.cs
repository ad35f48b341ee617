namespace Pdp.Samples.Comparison;

/// <summary>The results of a comparison so far.</summary>
internal sealed class Results
{
    private readonly Cell[] _all;

    /// <summary>Reads the folders of all cells of a recipe, in its order.</summary>
    public Results(IReadOnlyList<CellFolder> folders)
    {
        Sample = folders[0].Sample;
        var outcomes = folders.Select(folder => (Folder: folder, Outcome: folder.Outcome())).ToArray();
        _all = [.. outcomes.Select(pair => pair.Folder.Cell)];
        Cells = [.. from pair in outcomes where pair.Outcome.Report is not null select new Result(pair.Folder, pair.Outcome.Report!)];
        Failures =
            [.. from pair in outcomes where pair.Outcome.Fault is not null select new Failure(pair.Folder.Cell, pair.Outcome.Fault!)];
        Missing = [.. from pair in outcomes where pair.Outcome is { Report: null, Fault: null } select pair.Folder.Cell];
    }

    /// <summary>The sample whose runs they are.</summary>
    public IComparedSample Sample { get; }

    /// <summary>The finished cells.</summary>
    public IReadOnlyList<Result> Cells { get; }

    /// <summary>The failed and the damaged ones.</summary>
    public IReadOnlyList<Failure> Failures { get; }

    /// <summary>Those that were not run, or not to their end.</summary>
    public IReadOnlyList<Cell> Missing { get; }

    /// <summary>The columns of the recipe, those of the dense runs aside.</summary>
    public IReadOnlyList<string> Columns => [.. _all.Where(IsPruned).Select(cell => cell.Column).Distinct()];

    /// <summary>The rows of the recipe, dense training aside.</summary>
    public IReadOnlyList<string> Rows => [.. _all.Where(IsPruned).Select(cell => cell.Row).Distinct()];

    /// <summary>The dense runs.</summary>
    public IReadOnlyList<Result> Dense => Of(Cell.DenseMethod, Cell.DenseColumn);

    /// <summary>The score of the weights that all runs start from; null where no run has measured it.</summary>
    public double? StartScore => Cells.Select(result => result.Report.StartScore).FirstOrDefault(score => score is not null);

    /// <summary>
    /// The versions of the library that the finished cells were made with, and how many each; null where none is recorded.
    /// </summary>
    public IReadOnlyList<(string? Version, int Cells)> Versions =>
        [.. Cells.GroupBy(result => result.Report.Version).Select(cells => (cells.Key, cells.Count()))];

    /// <summary>The machines that they were made on, and how many each; null where none is recorded.</summary>
    public IReadOnlyList<(string? Machine, int Cells)> Machines =>
        [.. Cells.GroupBy(result => result.Report.Machine).Select(cells => (cells.Key, cells.Count()))];

    /// <summary>The finished seeds of a row in a column.</summary>
    public IReadOnlyList<Result> Of(string row, string column) =>
        [.. Cells.Where(result => result.Cell.Row == row && result.Cell.Column == column)];

    /// <summary>The state of a row in a column without a finished seed.</summary>
    public string StateOf(string row, string column) =>
        Failures.Any(failure => failure.Cell.Row == row && failure.Cell.Column == column) ? "failed" : "not run yet";

    /// <summary>The strategy of a column: that of its first cell.</summary>
    public string StrategyOf(string column) => Sample.Settings(_all.First(cell => cell.Column == column).Arguments).Strategy;

    /// <summary>How many seeds of a row are planned in a column; none where the method is not defined for it.</summary>
    public int Planned(string row, string column) => _all.Count(cell => cell.Row == row && cell.Column == column);

    /// <summary>Peak memory over that of the dense run of the same seed.</summary>
    public double? MemoryRatio(Result result) =>
        Dense.FirstOrDefault(dense => dense.Cell.Seed == result.Cell.Seed) is { } dense
            ? result.Report.PeakMemory / (double?)dense.Report.PeakMemory
            : null;

    /// <summary>A line for each cell, in full precision.</summary>
    public string ToCsv() => ResultsCsv.Of(this);

    /// <summary>The score by row and column and what each row cost, time by row and column, and what failed or is missing.</summary>
    public string ToMarkdown() => new ResultsMarkdown(this).ToString();

    private static bool IsPruned(Cell cell) => cell.Column != Cell.DenseColumn;
}
