namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Tries the pruner of each run on a fresh network, so that impossible combinations are reported before any cell runs.</summary>
internal static class Rehearsal
{
    /// <exception cref="ArgumentException">A cell's method, strategy or times don't go together; the message names the cell.</exception>
    public static void Require(IEnumerable<Cell> cells)
    {
        // Seeds differ in nothing that could be refused.
        foreach (var cell in cells.Where(cell => cell.Method != Methods.Dense).DistinctBy(cell => (cell.Column, cell.Row)))
        {
            try
            {
                var settings = CommandLine.Parse<Settings>(cell.Arguments);
                // The report will be there when its run has ended.
                Attach(cell.AllocatedBy is null ? settings : settings with { Allocation = "uniform" });
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException or NotSupportedException)
            {
                throw new ArgumentException($"The recipe's row '{cell.Row}' can't run in column '{cell.Column}'. {e.Message}", e);
            }
        }
    }

    private static void Attach(Settings settings)
    {
        Pruning.RequirePossible(settings);
        using var model = new ResNet20(settings.Width);
        using var pruner = new PdpPruner(model, Pruning.Options(settings, model));
        Pruning.RequireEnded(pruner.Schedule, settings);
    }
}
