using System.Text.Json;
using Pdp.Samples.Reports;
using Pdp.Training;

namespace Pdp.Samples.Comparison;

/// <summary>Where a cell's run leaves its results; the run is finished when its report, which is written last, is there.</summary>
/// <param name="sample">The sample whose run it is.</param>
/// <param name="root">The folder of the comparison.</param>
/// <param name="cell">The cell.</param>
/// <param name="weightsHash">The hash of the weights that runs start from; null to accept any, unless they start from scratch.</param>
/// <param name="isFromScratch">Whether runs start from fresh weights, so that those from given ones are of another recipe.</param>
internal sealed class CellFolder(
    IComparedSample sample, string root, Cell cell, string? weightsHash = null, bool isFromScratch = false)
{
    private const string FailureFile = "failure.json";
    private const string HistoryFile = "history.json";
    private const string LayersFile = "layers.csv";
    private const string ReportFile = "report.json";

    /// <summary>The pruning report, for <c>--allocation</c> of another run.</summary>
    private const string PruningReportFile = "pruning.json";

    private readonly string _settings = sample.Fingerprint(cell.Arguments);

    private string OtherWeights => isFromScratch ? "from given weights, not from scratch" : "from other weights";

    public IComparedSample Sample => sample;

    public Cell Cell => cell;

    public string Path { get; } = System.IO.Path.Combine(root, "cells", cell.Name);

    /// <summary>What the run printed.</summary>
    public string Log => FileOf("log.txt");

    /// <summary>The folder of the dense run of the same seed.</summary>
    public string DensePath => System.IO.Path.Combine(root, "cells", Cell.DenseName(cell.Seed));

    /// <summary>The pruning report of the row that gives the run its layer sparsities; null if none does.</summary>
    public string? AllocatingReport =>
        cell.AllocatingName is { } name ? System.IO.Path.Combine(root, "cells", name, PruningReportFile) : null;

    /// <summary>Reads all files of the run, so that damage is found before any of it is used.</summary>
    public CellOutcome Outcome()
    {
        try
        {
            if (ReadReport() is { } report)
            {
                return new(IsOfThis(report.Settings, report.WeightsHash) ? Checked(report) : null, Fault: null);
            }

            var failure = Read<RunFailure>(FailureFile);
            return new(Report: null, failure is not null && IsOfThis(failure.Settings, failure.WeightsHash) ? failure.Error : null);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new(Report: null, e.Message);
        }
    }

    /// <summary>The report of a finished run of these settings; null if there is none.</summary>
    public ComparedReport? Report() => Outcome().Report;

    /// <summary>Whether a folder of a cell has a report.</summary>
    public static bool HasReport(string folder) => File.Exists(System.IO.Path.Combine(folder, ReportFile));

    /// <summary>
    /// How a finished run of this name differs from the cell; null if it doesn't, or if there is none that can be read.
    /// </summary>
    public string? Difference()
    {
        try
        {
            return ReadReport() is { } report && !IsOfThis(report.Settings, report.WeightsHash)
                ? $"{cell.Name} was run {(IsSame(report.Settings) ? OtherWeights : Differences(report.Settings, _settings))}"
                : null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // It is damaged, which the run or the table will say.
            return null;
        }
    }

    /// <summary>Records why the run failed.</summary>
    public void Fail(string error)
    {
        var failure = new RunFailure(error, _settings, weightsHash);
        AtomicFile.WriteText(FileOf(FailureFile), JsonSerializer.Serialize(failure, Json.Options) + "\n");
    }

    /// <summary>Deletes what an earlier run has left.</summary>
    public void Empty()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }

        Directory.CreateDirectory(Path);
    }

    /// <summary>The zeros of each layer, by name; none for a run without pruning.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public IReadOnlyList<LayerZeros> Layers()
    {
        var path = FileOf(LayersFile);
        var lines = File.Exists(path) ? File.ReadLines(path).Skip(1) : [];
        return [.. lines.Select(line => LayerZeros.Parse(line) ?? throw Damaged(path, $"it has the line '{line}'."))];
    }

    /// <summary>Histograms of some weights over the epochs.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public IReadOnlyList<WeightSnapshot> History()
    {
        var history = Read<WeightSnapshot[]>(HistoryFile) ?? [];
        return history.All(snapshot => snapshot is { Range: >= 0, Counts.Count: > 0 })
            ? history
            : throw Damaged(FileOf(HistoryFile), "it has a histogram without bins.");
    }

    private static InvalidDataException Damaged(string path, string reason, Exception? cause = null) =>
        new($"'{path}' is damaged: {reason}", cause);

    private static string Differences(string then, string now)
    {
        var (before, after) = (Options(then), Options(now));
        return $"with {string.Join(" ", before.Except(after))}, not {string.Join(" ", after.Except(before))}";

        static string[] Options(string settings) => Named(settings).Split(" --") switch
        {
            [var first, .. var others] => [first, .. others.Select(option => "--" + option)],
            _ => [],
        };
    }

    private string FileOf(string name) => System.IO.Path.Combine(Path, name);

    // Without a hash of its own a recipe accepts any, as tables are made without --weights; one from scratch accepts none.
    private bool IsOfThis(string settings, string? hash) =>
        IsSame(settings) && ((weightsHash is null && !isFromScratch) || hash == weightsHash);

    private bool IsSame(string settings) => settings == _settings || Completed(settings) == _settings;

    // An option that didn't exist when a run was made is there with its default; null if one of the run's is gone.
    private string? Completed(string settings)
    {
        try
        {
            var given = settings.Replace("taught ", "--teacher given ", StringComparison.Ordinal)
                .Replace("started ", "--start given ", StringComparison.Ordinal);
            return sample.Fingerprint(given.Split(' '));
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private ComparedReport Checked(ComparedReport report)
    {
        if (report is not { Sparsity: >= 0 and <= 1, PeakMemory: null or > 0 } || !sample.Metric.Range.Contains(report.Score))
        {
            throw Damaged(FileOf(ReportFile), $"sparsity or {sample.Metric.Name} is out of its range, or no memory was used.");
        }

        var layers = Layers();
        if (layers.Count > 0 && Math.Abs(LayerZeros.Sparsity(layers) - report.Sparsity) > 1e-6)
        {
            throw Damaged(FileOf(LayersFile), "its zeros are not those of the report.");
        }

        History();
        return report;
    }

    // Fingerprints have these words instead of the options that name files.
    private static string Named(string settings) => settings
        .Replace("taught ", "--teacher ", StringComparison.Ordinal).Replace("started ", "--start ", StringComparison.Ordinal);

    private ComparedReport? ReadReport() => Read(ReportFile, sample.ReadReport);

    private T? Read<T>(string name)
        where T : class => Read(name, text => JsonSerializer.Deserialize<T>(text, Json.Options));

    private T? Read<T>(string name, Func<string, T?> parse)
        where T : class
    {
        var path = FileOf(name);
        try
        {
            return File.Exists(path)
                ? parse(File.ReadAllText(path)) ?? throw Damaged(path, "it is the JSON null.")
                : null;
        }
        catch (JsonException e)
        {
            throw Damaged(path, e.Message, e);
        }
    }
}
