using System.Globalization;
using System.Text.Json;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>
/// All that a run needs to go on after an epoch as if it had never stopped: weights, batch-norm statistics and momentum
/// as tensors of one safetensors file, the rest as text in its header.
/// </summary>
internal sealed record Checkpoint(int Epoch, double? StartAccuracy, EpochMetrics[] Metrics, string? Pruner)
{
    private const string Model = "model.";
    private const string Momentum = "momentum.";

    public void Save(string path, nn.Module model, Sgd optimizer, string fingerprint)
    {
        using var scope = NewDisposeScope();
        var tensors = model.state_dict().ToDictionary(entry => Model + entry.Key, entry => entry.Value);
        foreach (var (name, buffer) in optimizer.ExportState())
        {
            tensors.Add(Momentum + name, buffer);
        }

        var metadata = new Dictionary<string, string>
        {
            ["fingerprint"] = fingerprint,
            ["epoch"] = Epoch.ToString(CultureInfo.InvariantCulture),
            ["metrics"] = JsonSerializer.Serialize(Metrics),
        };
        if (StartAccuracy is { } accuracy)
        {
            metadata["start_accuracy"] = accuracy.ToString("R", CultureInfo.InvariantCulture);
        }

        if (Pruner is not null)
        {
            metadata["pruner"] = Pruner;
        }

        Safetensors.Save(path, tensors, metadata);
    }

    /// <summary>Fills model and optimizer from a checkpoint of the same settings.</summary>
    /// <exception cref="InvalidDataException">The checkpoint is damaged, or of other settings.</exception>
    public static Checkpoint Load(string path, nn.Module model, Sgd optimizer, string fingerprint)
    {
        using var scope = NewDisposeScope();
        var metadata = Safetensors.LoadMetadata(path);
        var made = Text(metadata, "fingerprint", path);
        if (made != fingerprint)
        {
            throw new InvalidDataException(
                $"'{path}' was made with other settings; start anew without --resume, or give the same ones.\n  then: {made}\n  now:  {fingerprint}");
        }

        var tensors = Safetensors.Load(path);
        Safetensors.LoadInto(model, WithPrefix(tensors, Model), path);
        optimizer.ImportState(WithPrefix(tensors, Momentum));
        return new Checkpoint(
            int.Parse(Text(metadata, "epoch", path), CultureInfo.InvariantCulture),
            metadata.TryGetValue("start_accuracy", out var accuracy) ? double.Parse(accuracy, CultureInfo.InvariantCulture) : null,
            JsonSerializer.Deserialize<EpochMetrics[]>(Text(metadata, "metrics", path)) ?? [],
            metadata.GetValueOrDefault("pruner"));
    }

    private static string Text(IReadOnlyDictionary<string, string> metadata, string name, string path) =>
        metadata.TryGetValue(name, out var text)
            ? text
            : throw new InvalidDataException($"'{path}' has no '{name}' in its header; it is no checkpoint.");

    private static Dictionary<string, Tensor> WithPrefix(Dictionary<string, Tensor> tensors, string prefix) =>
        tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value, StringComparer.Ordinal);
}
