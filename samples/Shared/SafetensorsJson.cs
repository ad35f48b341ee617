using System.Text.Json;

namespace Pdp.Samples;

/// <summary>Reads the JSON of a safetensors header; what is wrong with it becomes a <see cref="FormatException"/>.</summary>
internal static class SafetensorsJson
{
    private const string MetadataName = "__metadata__";

    public static byte[] Write(IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        var root = new Dictionary<string, object>(StringComparer.Ordinal);
        if (metadata is { Count: > 0 })
        {
            root.Add(MetadataName, metadata);
        }

        foreach (var entry in entries)
        {
            root.Add(entry.Name, new
            {
                dtype = SafetensorsType.Name(entry.Type),
                shape = entry.Shape,
                data_offsets = new[] { entry.Begin, entry.End },
            });
        }

        return JsonSerializer.SerializeToUtf8Bytes(root);
    }

    /// <exception cref="FormatException">The header is not JSON, or does not describe tensors.</exception>
    public static (List<SafetensorsEntry> Entries, Dictionary<string, string> Metadata) Read(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is what JsonElement throws for text that is not Unicode.
            throw new FormatException($"has a header that is not JSON: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static (List<SafetensorsEntry> Entries, Dictionary<string, string> Metadata) Read(JsonElement root)
    {
        Require(root.ValueKind == JsonValueKind.Object, "has a header that is not a JSON object");
        var names = new HashSet<string>(StringComparer.Ordinal);
        var entries = new List<SafetensorsEntry>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in root.EnumerateObject())
        {
            Require(names.Add(property.Name), $"names '{property.Name}' twice");
            if (property.Name == MetadataName)
            {
                metadata = ReadMetadata(property.Value);
            }
            else
            {
                entries.Add(ReadEntry(property.Name, property.Value));
            }
        }

        return (entries, metadata);
    }

    private static Dictionary<string, string> ReadMetadata(JsonElement value)
    {
        Require(value.ValueKind == JsonValueKind.Object, $"has a {MetadataName} that is not a JSON object");
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in value.EnumerateObject())
        {
            Require(property.Value.ValueKind == JsonValueKind.String, $"has a {MetadataName} entry '{property.Name}' that is not text");
            metadata[property.Name] = property.Value.GetString()!;
        }

        return metadata;
    }

    private static SafetensorsEntry ReadEntry(string name, JsonElement value)
    {
        Require(value.ValueKind == JsonValueKind.Object, $"describes tensor '{name}' by no JSON object");
        var known = value.TryGetProperty("dtype", out var dtype) && dtype.ValueKind == JsonValueKind.String;
        Require(known, $"gives tensor '{name}' no dtype");
        var type = SafetensorsType.Find(dtype.GetString()!);
        Require(type is not null, $"gives tensor '{name}' the dtype '{dtype.GetString()}'; known are {SafetensorsType.Names}");
        var offsets = Numbers(name, value, "data_offsets");
        Require(offsets.Length == 2, $"gives tensor '{name}' {offsets.Length} data_offsets instead of two");
        return new SafetensorsEntry(name, type.GetValueOrDefault(), Numbers(name, value, "shape"), offsets[0], offsets[1]);
    }

    private static long[] Numbers(string name, JsonElement value, string property)
    {
        var known = value.TryGetProperty(property, out var array) && array.ValueKind == JsonValueKind.Array;
        Require(known, $"gives tensor '{name}' no {property}");
        return [.. array.EnumerateArray().Select(Number)];

        long Number(JsonElement item)
        {
            var number = -1L;
            var isWhole = item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out number) && number >= 0;
            Require(isWhole, $"gives tensor '{name}' a {property} with '{item}' in it, where only whole numbers from 0 are allowed");
            return number;
        }
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new FormatException(otherwise);
        }
    }
}
