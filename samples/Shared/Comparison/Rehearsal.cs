namespace Pdp.Samples.Comparison;

/// <summary>Tries the pruner of each run on a fresh network, so that impossible combinations are reported before any cell runs.</summary>
internal static class Rehearsal
{
    /// <exception cref="ArgumentException">A cell's method, strategy or times don't go together; the message names the cell.</exception>
    public static void Require(IComparedSample sample, IEnumerable<Cell> cells)
    {
        // Seeds differ in nothing that could be refused.
        foreach (var cell in cells.Where(cell => cell.Method != Cell.DenseMethod).DistinctBy(cell => (cell.Column, cell.Row)))
        {
            try
            {
                sample.Rehearse(WithoutReport(cell).Arguments);
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException or NotSupportedException)
            {
                throw new ArgumentException($"The recipe's row '{cell.Row}' can't run in column '{cell.Column}'. {e.Message}", e);
            }
        }
    }

    // The report will be there when its run has ended.
    private static Cell WithoutReport(Cell cell) => cell.AllocatedBy is null
        ? cell
        : cell with { Options = new Dictionary<string, string>(cell.Options, StringComparer.Ordinal) { ["allocation"] = "uniform" } };
}
