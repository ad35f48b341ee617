using System.Globalization;
using System.Text.Json;
using Pdp.Samples.ImageNet.Reporting;
using Pdp.Training;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>
/// All that a run needs to continue as if it had never stopped, in one safetensors file: weights, batch-norm statistics,
/// momentum and averages as tensors, settings, position and the pruner's state as text in its header.
/// </summary>
/// <remarks>The order of the data and all random draws follow from the seed and the position, so they need no state.</remarks>
internal static class Checkpoint
{
    /// <summary>The texts of a checkpoint's header.</summary>
    public static Dictionary<string, string> Texts(Learner learner, Progress progress, Settings settings)
    {
        var texts = new Dictionary<string, string>
        {
            ["settings"] = JsonSerializer.Serialize(settings.Deciding()),
            ["epoch"] = progress.Epoch.ToString(CultureInfo.InvariantCulture),
            ["step"] = progress.Step.ToString(CultureInfo.InvariantCulture),
            ["loss_sum"] = progress.LossSum.ToString("R", CultureInfo.InvariantCulture),
            ["seconds"] = progress.Seconds.ToString("R", CultureInfo.InvariantCulture),
            ["history"] = JsonSerializer.Serialize(progress.History),
        };
        if (learner.Pruner is not null)
        {
            texts["pruner"] = learner.Pruner.GetState().ToJson();
        }

        return texts;
    }

    /// <summary>Loads a checkpoint of the same settings into a learner. The whole file is checked first.</summary>
    /// <param name="path">The file.</param>
    /// <param name="learner">What is filled.</param>
    /// <param name="settings">Those of this run.</param>
    /// <param name="steps">The steps of an epoch.</param>
    /// <returns>How far the run had come.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, not a checkpoint, or one of other settings; nothing has changed
    /// then.</exception>
    public static Progress Load(string path, Learner learner, Settings settings, int steps = int.MaxValue)
    {
        var header = CheckpointHeader.Load(path);
        RequireSame(header.Json<Dictionary<string, string>>("settings"), settings, path);
        var progress = ProgressOf(header, settings.Epochs, steps);
        var pruner = learner.Pruner is null ? null : header.Pruner("pruner");

        // A pruner's masks follow from the weights, so only then is it clear whether it accepts its state.
        learner.State.Load(path, () => header.Restore(learner.Pruner, pruner));
        return progress;
    }

    /// <summary>Whether a safetensors file is a checkpoint, rather than weights alone.</summary>
    public static bool Is(string path) => Safetensors.LoadMetadata(path).ContainsKey("settings");

    private static Progress ProgressOf(CheckpointHeader header, int epochs, int steps)
    {
        var history = header.Json<EpochMetrics?[]>("history");
        var progress = new Progress(
            header.Count("epoch", epochs), header.Count("step", steps), header.Amount("loss_sum"), header.Amount("seconds"),
            [.. history.OfType<EpochMetrics>()]);
        header.Require(
            history.Length == progress.Epoch && progress.History.Count == progress.Epoch,
            $"its 'history' has {progress.History.Count} epochs, where {progress.Epoch} are over");
        return progress;
    }

    /// <summary>Compares settings one by one, so that the message names those that differ.</summary>
    private static void RequireSame(Dictionary<string, string> then, Settings settings, string path)
    {
        var now = settings.Deciding();
        var differences = then.Keys.Union(now.Keys)
            .Where(name => then.GetValueOrDefault(name) != now.GetValueOrDefault(name))
            .Select(name => $"{name} was {then.GetValueOrDefault(name, "not set")}, is {now.GetValueOrDefault(name, "not set")}")
            .ToArray();
        if (differences.Length > 0)
        {
            throw new InvalidDataException(
                $"'{path}' was made with other settings: {string.Join("; ", differences)}. "
                    + "Give the same ones, or start over with another --out.");
        }
    }
}
