using System.Diagnostics;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Runs cells that are not finished, each in a process of its own, so that its memory can be told.</summary>
/// <param name="folders">All cells.</param>
/// <param name="jobs">Runs at a time.</param>
/// <param name="command">How a cell's run is started.</param>
internal sealed class CellRuns(IReadOnlyList<CellFolder> folders, int jobs, Func<CellFolder, ProcessStartInfo> command)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _done;

    /// <summary>Runs what is missing; a run that fails is reported and the others go on.</summary>
    /// <returns>The number of runs that failed.</returns>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        var missing = folders.Where(folder => folder.Report() is null).ToArray();
        Console.WriteLine($"{folders.Count} cells, {folders.Count - missing.Length} of them finished before; {jobs} at a time.");
        var failures = 0;

        // Dense runs first: others may learn from them.
        foreach (var stage in missing.GroupBy(folder => folder.Cell.Column != Cell.DenseColumn).OrderBy(stage => stage.Key))
        {
            await Parallel.ForEachAsync(stage, new ParallelOptions { MaxDegreeOfParallelism = jobs, CancellationToken = stop }, async (folder, token) =>
            {
                if (!await RunAsync(folder, missing.Length, token))
                {
                    Interlocked.Increment(ref failures);
                }
            });
        }

        return failures;
    }

    private async Task<bool> RunAsync(CellFolder folder, int count, CancellationToken stop)
    {
        folder.Empty();
        using var process = Process.Start(command(folder)) ?? throw new IOException("The run could not be started.");
        await using var registration = stop.Register(() => Kill(process));
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await using (var log = new StreamWriter(folder.Log))
        {
            while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
            {
                await log.WriteLineAsync(line.AsMemory(), CancellationToken.None);
            }
        }

        await process.WaitForExitAsync(CancellationToken.None);
        stop.ThrowIfCancellationRequested();
        var done = Interlocked.Increment(ref _done);
        var left = TimeSpan.FromSeconds(_clock.Elapsed.TotalSeconds / done * (count - done));
        Console.WriteLine($"{done}/{count} {folder.Cell.Name}: {Outcome(folder.Report(), (await errors).Trim())}; about {left:h\\:mm\\:ss} left");
        return process.ExitCode == 0;
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has just ended by itself.
        }
    }

    private static string Outcome(RunReport? report, string errors) =>
        report is null ? $"failed: {errors}" : FormattableString.Invariant($"{100 * report.Accuracy:0.00} %, {100 * report.Sparsity:0.00} % zeros");
}
