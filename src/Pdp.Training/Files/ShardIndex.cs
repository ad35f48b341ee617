using System.Text.Json;
using static TorchSharp.torch;

namespace Pdp.Training.Files;

/// <summary>
/// The index of a model that is split over several safetensors files, as Hugging Face's libraries write it:
/// <c>{"weight_map": {"NAME": "model-00001-of-00002.safetensors", …}}</c>, with the files in the same folder.
/// </summary>
internal static class ShardIndex
{
    public static bool IsIndex(string path) => path.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase);

    public static Dictionary<string, Tensor> Load(string path)
    {
        var map = ReadMap(path);
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var shard in map.GroupBy(entry => entry.Value, entry => entry.Key, StringComparer.Ordinal))
        {
            var file = SafetensorsFile.Load(Path.Join(Path.GetDirectoryName(path), shard.Key));
            foreach (var name in shard)
            {
                var tensor = file.GetValueOrDefault(name)
                    ?? throw Damaged(path, $"places '{name}' in '{shard.Key}', which does not hold it");
                tensors.Add(name, tensor);
            }
        }

        return tensors.ToDictionary(entry => entry.Key, entry => entry.Value.MoveToOuterDisposeScope(), StringComparer.Ordinal);
    }

    private static Dictionary<string, string> ReadMap(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no file '{path}' to read weights from.", path);
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return ReadMap(document.RootElement, path);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{path}' is not valid JSON: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static Dictionary<string, string> ReadMap(JsonElement root, string path)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("weight_map", out var map)
            || map.ValueKind != JsonValueKind.Object)
        {
            throw Damaged(path, "has no weight_map");
        }

        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in map.EnumerateObject())
        {
            var file = entry.Value.ValueKind == JsonValueKind.String
                ? entry.Value.GetString()!
                : throw Damaged(path, $"names no file for '{entry.Name}'");
            if (file.Length == 0 || file is "." or ".." || file.AsSpan().IndexOfAny("/\\:\0") >= 0)
            {
                throw Damaged(path, $"places '{entry.Name}' in '{file}', which is not the name of a file in the same folder");
            }

            if (!files.TryAdd(entry.Name, file))
            {
                throw Damaged(path, $"names '{entry.Name}' twice");
            }
        }

        return files;
    }

    private static InvalidDataException Damaged(string path, string what) => new($"'{path}' {what}.");
}
