using System.Diagnostics;

namespace Pdp.Samples.Comparison;

/// <summary>Runs cells that are not finished, each in a process of its own, so that its memory can be measured.</summary>
/// <param name="folders">All cells.</param>
/// <param name="jobs">Runs at a time.</param>
/// <param name="command">How a cell's run is started.</param>
/// <param name="ended">Called whenever a run has finished or failed, by one thread at a time.</param>
internal sealed class CellRuns(
    IReadOnlyList<CellFolder> folders, int jobs, Func<CellFolder, ProcessStartInfo> command, Action? ended = null)
{
    private readonly Lock _reporting = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _done;
    private int _failures;

    /// <summary>Runs what is missing; a run that fails is reported and the others continue.</summary>
    /// <returns>The number of runs that failed.</returns>
    /// <exception cref="OperationCanceledException">It was stopped; what has finished is kept.</exception>
    /// <exception cref="IOException">A folder can't be written to.</exception>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        var missing = Missing();

        // Dense runs first, and those that take the results of others last.
        foreach (var stage in missing.GroupBy(StageOf).OrderBy(stage => stage.Key))
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = jobs, CancellationToken = stop };
            await Parallel.ForEachAsync(stage, options, async (folder, token) =>
            {
                var error = await RunAsync(folder, token);
                lock (_reporting)
                {
                    Report(folder, error, missing.Count);
                }
            });
        }

        return _failures;
    }

    private List<CellFolder> Missing()
    {
        var all = folders.Select(folder => (Folder: folder, Outcome: folder.Outcome())).ToList();
        var missing = all.Where(pair => pair.Outcome.Report is null).ToList();
        Console.WriteLine($"{folders.Count} cells, {folders.Count - missing.Count} of them finished before; {jobs} at a time.");
        var others = all.Count(pair => pair.Outcome.Report is { } report && report.Version != LibraryVersion.Current);
        if (others > 0)
        {
            Console.WriteLine($"{others} of them were made by another version of the library than this one, {LibraryVersion.Current}, "
                + "perhaps with other defaults: to make a cell anew, delete its folder.");
        }

        var elsewhere = all.Count(pair => pair.Outcome.Report is { } report && !Machine.IsThis(report.Machine));
        if (elsewhere > 0)
        {
            Console.WriteLine($"{elsewhere} of them were made on another machine than this one, {Machine.Processor}, or an unrecorded one: "
                + "compare cells of one machine.");
        }

        foreach (var (folder, outcome) in missing.Where(pair => pair.Outcome.Fault is not null))
        {
            Console.WriteLine($"{folder.Cell.Name} runs again. Before: {outcome.Fault}");
        }

        return [.. missing.Select(pair => pair.Folder)];
    }

    /// <returns>Why it failed; null if it didn't.</returns>
    private async Task<string?> RunAsync(CellFolder folder, CancellationToken stop)
    {
        await WaitForAnEarlierRunAsync(folder, stop);
        if (folder.Report() is not null)
        {
            return null;
        }

        folder.Empty();
        return FailureBefore(folder.Cell) ?? await CellProcess.RunAsync(folder, command(folder), stop);
    }

    // A comparison that was killed leaves a run behind that continues: its result is as good as a new one.
    private static async Task WaitForAnEarlierRunAsync(CellFolder folder, CancellationToken stop)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            using (var free = FolderLock.TryTake(folder.Path))
            {
                if (free is not null)
                {
                    return;
                }
            }

            if (isFirst)
            {
                Console.WriteLine($"{folder.Cell.Name}: waiting for the run of an earlier comparison, which is still running.");
            }

            await Task.Delay(TimeSpan.FromSeconds(0.5), stop);
        }
    }

    private static int StageOf(CellFolder folder) =>
        folder.Cell.Column == Cell.DenseColumn ? 0 : folder.Cell.AllocatedBy is null ? 1 : 2;

    private string? FailureBefore(Cell cell) =>
        cell.NeedsDense && !HasFinished(Cell.DenseName(cell.Seed)) ? $"It learns from {Cell.DenseName(cell.Seed)}, which failed."
            : cell.AllocatingName is { } name && !HasFinished(name) ? $"It takes the sparsities of {name}, which failed."
            : null;

    private bool HasFinished(string name) => folders.First(folder => folder.Cell.Name == name).Report() is not null;

    private void Report(CellFolder folder, string? error, int count)
    {
        if (error is not null)
        {
            _failures++;
            folder.Fail(error);
        }

        _done++;
        var left = TimeSpan.FromSeconds(_clock.Elapsed.TotalSeconds / _done * (count - _done));
        var outcome = error is null ? Numbers(folder) : $"failed: {error}";
        Console.WriteLine($"{_done}/{count} {folder.Cell.Name}: {outcome}; about {left:h\\:mm\\:ss} left");
        ended?.Invoke();
    }

    private static string Numbers(CellFolder folder)
    {
        var (report, metric) = (folder.Report()!, folder.Sample.Metric);
        return FormattableString.Invariant($"{metric.Number(report.Score)}{metric.Unit}, {100 * report.Sparsity:0.00} % zeros");
    }
}
