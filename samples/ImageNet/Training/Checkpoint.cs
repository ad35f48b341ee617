using System.Globalization;
using System.Text.Json;
using Pdp.Samples.ImageNet.Reporting;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>
/// All that a run needs to go on as if it had never stopped, in one safetensors file: weights, batch-norm statistics,
/// momentum and averages as tensors, settings, position and the pruner's state as text in its header.
/// </summary>
/// <remarks>The order of the data and all random draws follow from the seed and the position, so they need no state.</remarks>
internal static class Checkpoint
{
    private const string Model = "model.";
    private const string Momentum = "momentum.";
    private const string Average = "average.";

    public static void Save(string path, Learner learner, Progress progress, Settings settings)
    {
        using var scope = NewDisposeScope();
        var momentum = learner.Optimizer.ExportState();
        var tensors = learner.Model.state_dict().Select(entry => KeyValuePair.Create(Model + entry.Key, entry.Value))
            .Concat(momentum.Select(entry => KeyValuePair.Create(Momentum + entry.Key, entry.Value)))
            .Concat((learner.Average?.State() ?? []).Select(entry => KeyValuePair.Create(Average + entry.Key, entry.Value)));
        Safetensors.Save(path, tensors.ToDictionary(StringComparer.Ordinal), Describe(learner, progress, settings));
    }

    /// <summary>Fills a learner from a checkpoint of the same settings.</summary>
    /// <returns>How far the run was.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, no checkpoint, or one of other settings; nothing has changed then.</exception>
    public static Progress Load(string path, Learner learner, Settings settings)
    {
        using var scope = NewDisposeScope();
        var header = Safetensors.LoadMetadata(path);
        RequireSame(Text(header, "settings", path), settings, path);
        var progress = new Progress(
            int.Parse(Text(header, "epoch", path), CultureInfo.InvariantCulture),
            int.Parse(Text(header, "step", path), CultureInfo.InvariantCulture),
            double.Parse(Text(header, "loss_sum", path), CultureInfo.InvariantCulture),
            double.Parse(Text(header, "seconds", path), CultureInfo.InvariantCulture),
            JsonSerializer.Deserialize<EpochMetrics[]>(Text(header, "history", path))!);

        var tensors = Safetensors.Load(path);
        Safetensors.LoadInto(learner.Model, Part(tensors, Model), path);
        learner.Optimizer.ImportState(Part(tensors, Momentum));
        learner.Average?.Load(Part(tensors, Average));
        learner.Pruner?.Restore(PrunerState.FromJson(Text(header, "pruner", path)));
        return progress;
    }

    /// <summary>Whether a safetensors file is a checkpoint, rather than weights alone.</summary>
    public static bool Is(string path) => Safetensors.LoadMetadata(path).ContainsKey("settings");

    private static Dictionary<string, string> Describe(Learner learner, Progress progress, Settings settings)
    {
        var header = new Dictionary<string, string>
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
            header["pruner"] = learner.Pruner.GetState().ToJson();
        }

        return header;
    }

    /// <summary>Compares settings one by one, so that the message names those that differ.</summary>
    private static void RequireSame(string saved, Settings settings, string path)
    {
        var then = JsonSerializer.Deserialize<Dictionary<string, string>>(saved)!;
        var now = settings.Deciding();
        var differences = then.Keys.Union(now.Keys)
            .Where(name => then.GetValueOrDefault(name) != now.GetValueOrDefault(name))
            .Select(name => $"{name} was {then.GetValueOrDefault(name, "not set")}, is {now.GetValueOrDefault(name, "not set")}")
            .ToArray();
        if (differences.Length > 0)
        {
            throw new InvalidDataException(
                $"'{path}' was made with other settings: {string.Join("; ", differences)}. Give the same ones, or start anew with another --out.");
        }
    }

    private static string Text(IReadOnlyDictionary<string, string> header, string name, string path) =>
        header.TryGetValue(name, out var text)
            ? text
            : throw new InvalidDataException($"'{path}' has no '{name}' in its header; it is no checkpoint of this program.");

    private static Dictionary<string, Tensor> Part(Dictionary<string, Tensor> tensors, string prefix) =>
        tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value, StringComparer.Ordinal);
}
