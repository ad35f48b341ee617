namespace Pdp.Samples;

/// <summary>What runs and comparisons leave in the folder of <c>--out</c>.</summary>
internal static class ResultsFolder
{
    private static readonly string[] Names = ["metrics.csv", "report.json", "weights.safetensors", "cells"];

    /// <summary>Checks that a run doesn't overwrite the results of another in part.</summary>
    /// <param name="folder">The folder; null if results go nowhere.</param>
    /// <param name="hasCheckpoint">Whether a run in it could be continued.</param>
    /// <exception cref="ArgumentException">It has results.</exception>
    public static void RequireFree(string? folder, bool hasCheckpoint)
    {
        if (hasCheckpoint)
        {
            throw new ArgumentException(
                $"'{folder}' already holds a run: give --resume to continue it, another --out, or delete the folder.");
        }

        if (folder is not null && Names.Any(name => Path.Exists(Path.Join(folder, name))))
        {
            throw new ArgumentException(
                $"'{folder}' already holds the results of another run: give another --out, or delete the folder.");
        }
    }
}
