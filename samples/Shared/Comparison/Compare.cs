using System.Runtime.InteropServices;
using Pdp.Training;

namespace Pdp.Samples.Comparison;

/// <summary>The command <c>compare</c>: runs methods on the same work, and writes tables and charts of the results.</summary>
internal static class Compare
{
    /// <param name="sample">The sample whose runs are compared.</param>
    /// <param name="arguments">The command line, without the command.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="ArgumentException">An option or the recipe is wrong.</exception>
    public static int Run(IComparedSample sample, IReadOnlyList<string> arguments)
    {
        var settings = CommandLine.Parse<CompareSettings>(arguments);
        var recipe = CompareRecipe.Read(
            Given(settings.Recipe, "--recipe, a comparison that comes with the program or a JSON file"), sample);
        var root = Given(settings.Out, "--out, the folder of the results");
        RequireInputs(sample, settings, recipe);
        Rehearsal.Require(sample, recipe.Cells());
        var weights = sample.HashOf(settings.Weights);
        CellFolder[] folders = [.. recipe.Cells().Select(cell => new CellFolder(sample, root, cell, weights, recipe.FromScratch))];
        OtherRecipe.Refuse(root, folders);
        if (settings.TablesOnly && folders.All(folder => folder.Outcome() is { Report: null, Fault: null }))
        {
            throw new ArgumentException($"'{root}' has no results of this recipe yet: run it without --tables-only.");
        }

        using var own = FolderLock.Take(root);
        if (!settings.TablesOnly)
        {
            ComparedData.Require(root, settings.Data!);
        }

        WriteTables(root, folders);
        var isStopped = !settings.TablesOnly && !RunCells(settings, folders, () => WriteTables(root, folders));

        var results = WriteTables(root, folders);
        Charts.Draw(results, Path.Combine(root, "charts"));
        Console.Write(results.ToMarkdown());
        Console.WriteLine($"These tables are in {Path.Combine(root, "results.md")}; "
            + "beside it are results.csv, charts and cells, with a log each.");
        return isStopped || results.Failures.Count > 0 ? 1 : 0;
    }

    /// <summary>Reports at once what every cell would fail for.</summary>
    private static void RequireInputs(IComparedSample sample, CompareSettings settings, CompareRecipe recipe)
    {
        if (recipe.FromScratch && settings.Weights is not null)
        {
            throw new ArgumentException($"The recipe {settings.Recipe} starts from fresh weights: leave --weights out.");
        }

        if (settings.TablesOnly)
        {
            return;
        }

        var data = Given(settings.Data, "--data, the place of the data");
        if (!Path.Exists(data))
        {
            throw new ArgumentException($"--data names '{data}', where there is neither a file nor a folder.");
        }

        sample.RequireInputs(
            recipe.Cells().Select(cell => cell.Arguments), data,
            recipe.FromScratch ? null : Given(settings.Weights, "--weights, the weights to start from"));
    }

    /// <summary>
    /// Written at the start and whenever a run has ended, so that they show what has finished however the comparison ends.
    /// </summary>
    private static Results WriteTables(string root, CellFolder[] folders)
    {
        var results = new Results(folders);
        AtomicFile.WriteText(Path.Combine(root, "results.csv"), results.ToCsv());
        AtomicFile.WriteText(Path.Combine(root, "results.md"), results.ToMarkdown());
        return results;
    }

    /// <returns>Whether it ran to its end.</returns>
    private static bool RunCells(CompareSettings settings, CellFolder[] folders, Action ended)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            var runs = new CellRuns(folders, settings.Jobs, folder => CellCommand.Of(folder, settings), ended);
            runs.RunAsync(stop.Token).GetAwaiter().GetResult();
            return true;
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("Stopped; finished cells are kept, and the same command runs the others.");
            return false;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private static string Given(string? value, string what) => value ?? throw new ArgumentException($"compare needs {what}.");
}
