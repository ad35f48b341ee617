using System.Globalization;
using System.Text.Json;
using Pdp.Samples.Reports;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>
/// Everything that a run needs to continue after an epoch as if it had never stopped: weights, batch-norm statistics and momentum
/// as tensors of one safetensors file, the rest as text in its header.
/// </summary>
internal sealed record Checkpoint(int Epoch, double? StartAccuracy, EpochMetrics[] Metrics, string? Pruner)
{
    /// <summary>The weights after each epoch so far, where a run keeps them.</summary>
    public IReadOnlyList<WeightSnapshot> Weights { get; init; } = [];

    /// <summary>What the run has cost so far; null in checkpoints from before they recorded it.</summary>
    public RunCosts? Costs { get; init; }

    public void Save(string path, nn.Module model, FusedSgd optimizer, string fingerprint)
    {
        var texts = new Dictionary<string, string>
        {
            ["fingerprint"] = fingerprint,
            ["epoch"] = Epoch.ToString(CultureInfo.InvariantCulture),
            ["metrics"] = JsonSerializer.Serialize(Metrics),
            ["weights"] = JsonSerializer.Serialize(Weights),
        };
        if (Costs is not null)
        {
            texts[RunCosts.Name] = JsonSerializer.Serialize(Costs);
        }

        if (StartAccuracy is { } accuracy)
        {
            texts["start_accuracy"] = accuracy.ToString("R", CultureInfo.InvariantCulture);
        }

        if (Pruner is not null)
        {
            texts["pruner"] = Pruner;
        }

        new TrainingState { Model = model, Optimizer = optimizer }.Save(path, texts);
    }

    /// <summary>Loads a checkpoint of the same settings into model, optimizer and pruner. The whole file is checked first.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The model.</param>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="fingerprint">That of this run's settings.</param>
    /// <param name="pruner">The pruner; null in a dense run.</param>
    /// <param name="epochs">The length of the run.</param>
    /// <exception cref="InvalidDataException">The checkpoint is damaged, or of other settings; nothing has changed then.</exception>
    public static Checkpoint Load(
        string path, nn.Module model, FusedSgd optimizer, string fingerprint, PdpPruner? pruner = null, int epochs = int.MaxValue)
    {
        var header = CheckpointHeader.Load(path);
        var made = header.Text("fingerprint");
        if (made != fingerprint)
        {
            throw new InvalidDataException(
                $"'{path}' was made with other settings; start over without --resume, or give the same ones."
                    + $"\n  then: {made}\n  now:  {fingerprint}");
        }

        var metrics = header.Json<EpochMetrics?[]>("metrics");
        var run = new Checkpoint(
            header.Count("epoch", epochs), header.Find("start_accuracy") is null ? null : header.Amount("start_accuracy"),
            [.. metrics.OfType<EpochMetrics>()], header.Find("pruner"))
        {
            Weights = header.Find("weights") is null ? [] : header.Json<WeightSnapshot[]>("weights"),
            Costs = header.Find(RunCosts.Name) is null ? null : header.Json<RunCosts>(RunCosts.Name),
        };
        header.Require(metrics.Length == run.Metrics.Length && metrics.Length <= run.Epoch,
            $"its 'metrics' have {run.Metrics.Length} epochs, where {run.Epoch} are over");
        header.Require(run.Costs is null or { StepSeconds: >= 0, PruningSeconds: >= 0, PeakMemory: null or > 0 }
            && !(run.Costs?.PruningSeconds > run.Costs?.StepSeconds), $"its '{RunCosts.Name}' are out of their range");
        var state = pruner is null ? null : header.Pruner("pruner");

        // A pruner's masks follow from the weights, so only then is it clear whether it accepts its state.
        new TrainingState { Model = model, Optimizer = optimizer }.Load(path, () => header.Restore(pruner, state));
        return run;
    }
}
