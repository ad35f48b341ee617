using System.Text.Json;

namespace Pdp.Training.Files;

/// <summary>Reads and writes the JSON of a safetensors header; faults in it are reported by a <see cref="FormatException"/>.</summary>
internal static class SafetensorsJson
{
    public const string MetadataName = "__metadata__";

    public static byte[] Write(IEnumerable<SafetensorsEntry> entries, IEnumerable<KeyValuePair<string, string>>? metadata)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            WriteMetadata(writer, [.. metadata ?? []]);
            foreach (var entry in entries)
            {
                WriteEntry(writer, entry);
            }

            writer.WriteEndObject();
        }

        return bytes.ToArray();
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

    private static void WriteMetadata(Utf8JsonWriter writer, KeyValuePair<string, string>[] metadata)
    {
        if (metadata.Length == 0)
        {
            return;
        }

        writer.WriteStartObject(MetadataName);
        foreach (var (name, text) in metadata)
        {
            writer.WriteString(name, text);
        }

        writer.WriteEndObject();
    }

    private static void WriteEntry(Utf8JsonWriter writer, SafetensorsEntry entry)
    {
        writer.WriteStartObject(entry.Name);
        writer.WriteString("dtype", SafetensorsType.Name(entry.Type));
        WriteNumbers(writer, "shape", entry.Shape);
        WriteNumbers(writer, "data_offsets", [entry.Begin, entry.End]);
        writer.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, long[] numbers)
    {
        writer.WriteStartArray(name);
        foreach (var number in numbers)
        {
            writer.WriteNumberValue(number);
        }

        writer.WriteEndArray();
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
        Require(value.ValueKind == JsonValueKind.Object, $"describes tensor '{name}' by something other than a JSON object");
        var known = value.TryGetProperty("dtype", out var dtype) && dtype.ValueKind == JsonValueKind.String;
        Require(known, $"gives tensor '{name}' no dtype");
        var type = SafetensorsType.Find(dtype.GetString()!);
        Require(type is not null, $"gives tensor '{name}' the dtype '{dtype.GetString()}'; the supported ones are {SafetensorsType.Names}");
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
            Require(isWhole, $"gives tensor '{name}' a {property} with '{item}' in it, where only whole numbers in [0, 2^63) are allowed");
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
