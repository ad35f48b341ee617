using System.Text.Json;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Where a cell's run leaves its results; finished when its report is there, which is written last.</summary>
/// <param name="root">The folder of the comparison.</param>
/// <param name="cell">The cell.</param>
/// <param name="weightsHash">That of the weights that runs start from; null to take any.</param>
internal sealed class CellFolder(string root, Cell cell, string? weightsHash = null)
{
    public Cell Cell => cell;

    public string Path { get; } = System.IO.Path.Combine(root, "cells", cell.Name);

    /// <summary>What the run printed.</summary>
    public string Log => System.IO.Path.Combine(Path, "log.txt");

    /// <summary>The folder of another cell of the same comparison.</summary>
    public CellFolder Beside(Cell other) => new(root, other, weightsHash);

    /// <summary>The report of a finished run of these settings; null if there is none.</summary>
    public RunReport? Report()
    {
        var path = System.IO.Path.Combine(Path, "report.json");
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var report = JsonSerializer.Deserialize<RunReport>(File.ReadAllText(path), Json.Options);
            var isSame = report?.Settings == CommandLine.Parse<Settings>(cell.Arguments).Fingerprint() && (weightsHash is null || report.WeightsHash == weightsHash);
            return isSame ? report : null;
        }
        catch (JsonException)
        {
            // Damaged, or of another version of the program: to be made anew.
            return null;
        }
    }

    /// <summary>Drops what an earlier run of other settings has left.</summary>
    public void Empty()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }

        Directory.CreateDirectory(Path);
    }

    /// <summary>The zeros of each layer, by name; none of a run without pruning.</summary>
    public IReadOnlyList<(string Layer, double Sparsity)> Layers()
    {
        var path = System.IO.Path.Combine(Path, "layers.csv");
        return !File.Exists(path) ? [] :
        [
            .. File.ReadLines(path).Skip(1).Select(line => line.Split(',')).Select(fields => (fields[0], Number(fields[4]) / Number(fields[2]))),
        ];

        static double Number(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Histograms of some weights over the epochs.</summary>
    public IReadOnlyList<WeightSnapshot> History()
    {
        var path = System.IO.Path.Combine(Path, "history.json");
        return File.Exists(path) ? JsonSerializer.Deserialize<WeightSnapshot[]>(File.ReadAllText(path), Json.Options) ?? [] : [];
    }
}
