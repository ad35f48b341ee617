using System.Globalization;
using System.Text.Json;
using Pdp.Training;

namespace Pdp.Samples.Transformers;

/// <summary>Where a run leaves its files, and continues from: the folder of <c>--out</c>, if there is one.</summary>
internal sealed class RunFolder
{
    private readonly TransformerSettings _settings;

    /// <exception cref="ArgumentException">There is nothing to resume, or a run that would be overwritten.</exception>
    public RunFolder(TransformerSettings settings)
    {
        _settings = settings;
        if (settings.Resume && settings.Out is null)
        {
            throw new ArgumentException("--resume needs --out, the folder of the run to continue.");
        }

        if (settings.Resume && !PruningMethods.IsResumable(settings))
        {
            throw new ArgumentException($"A run of {settings.Method} can't be resumed; dense and pdp can. Start over without --resume.");
        }

        // A run that is there already is continued, never overwritten.
        var hasCheckpoint = settings.Out is not null && Checkpoints.List().Count > 0;
        if (settings.Resume && !hasCheckpoint)
        {
            throw new ArgumentException($"'{settings.Out}' has no checkpoint to resume.");
        }

        if (!settings.Resume)
        {
            ResultsFolder.RequireFree(settings.Out, hasCheckpoint);
        }
    }

    private CheckpointFolder Checkpoints => new(Path.Combine(_settings.Out!, "checkpoints"), keepLast: 1);

    /// <summary>The epoch to begin with, and the results and costs of those before: none, or where the checkpoint left off.</summary>
    /// <exception cref="InvalidDataException">The checkpoint is of other settings.</exception>
    public (int Epoch, EpochMetrics[] Metrics, RunCosts? Costs) Start(string header, TrainingState state, PdpPruner? pruner)
    {
        if (!_settings.Resume)
        {
            return (0, [], null);
        }

        var path = Checkpoints.FindNewest(Console.WriteLine)!;
        var texts = TrainingState.LoadTexts(path);
        if (texts.GetValueOrDefault("settings") is not { } then || then != _settings.Fingerprint())
        {
            throw new InvalidDataException(
                $"'{path}' was made with other settings: {texts.GetValueOrDefault("settings")}. Give the same ones, or another --out.");
        }

        state.Load(path, () => pruner?.Restore(PrunerState.FromJson(texts["pruner"])));
        var epoch = int.Parse(texts["epoch"], CultureInfo.InvariantCulture);
        var costs = texts.TryGetValue(RunCosts.Name, out var text) ? JsonSerializer.Deserialize<RunCosts>(text) : null;
        var metrics = JsonSerializer.Deserialize<EpochMetrics[]>(texts["metrics"])!;
        // A run that was killed after the checkpoint has not written the last line.
        WriteMetrics(_settings.Out!, header, metrics);
        return (epoch, metrics, costs);
    }

    /// <summary>Saves the results of an epoch.</summary>
    public void Keep(string header, IReadOnlyList<EpochMetrics> metrics, TrainingState state, PdpPruner? pruner, RunCosts costs)
    {
        if (_settings.Out is not { } folder)
        {
            return;
        }

        // The checkpoint first: a folder with metrics.csv alone could be neither resumed nor run again.
        if (PruningMethods.IsResumable(_settings))
        {
            SaveCheckpoint(metrics, state, pruner, costs);
        }

        WriteMetrics(folder, header, metrics);
    }

    /// <summary>Writes the trained network.</summary>
    /// <param name="pruning">What was pruned; null in a dense run.</param>
    /// <param name="saveWeights">Writes the weights to a file.</param>
    public void Save(PruningReport? pruning, Action<string> saveWeights)
    {
        if (_settings.Out is not { } folder)
        {
            return;
        }

        Directory.CreateDirectory(folder);
        saveWeights(Path.Combine(folder, "weights.safetensors"));
        if (pruning is not null)
        {
            AtomicFile.WriteText(Path.Combine(folder, "layers.csv"), pruning.ToCsv());
            AtomicFile.WriteText(Path.Combine(folder, "pruning.json"), pruning.ToJson());
        }
    }

    /// <summary>Writes the report. It comes last: where it is, the others are.</summary>
    public void Finish(string report)
    {
        if (_settings.Out is { } folder)
        {
            AtomicFile.WriteText(Path.Combine(folder, "report.json"), report + "\n");
        }
    }

    private static void WriteMetrics(string folder, string header, IEnumerable<EpochMetrics> metrics) =>
        AtomicFile.WriteText(Path.Combine(folder, "metrics.csv"), string.Join('\n', [header, .. metrics, ""]));

    private void SaveCheckpoint(IReadOnlyList<EpochMetrics> metrics, TrainingState state, PdpPruner? pruner, RunCosts costs)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["settings"] = _settings.Fingerprint(),
            ["epoch"] = metrics[^1].Epoch.ToString(CultureInfo.InvariantCulture),
            ["metrics"] = JsonSerializer.Serialize(metrics),
            [RunCosts.Name] = JsonSerializer.Serialize(costs),
        };
        if (pruner is not null)
        {
            texts["pruner"] = pruner.GetState().ToJson();
        }

        Checkpoints.Save(metrics[^1].Epoch, state, texts);
    }
}
