using System.Text.Json;

namespace Pdp.Samples.Bert.Text;

/// <summary>Reads one JSON object per line.</summary>
internal static class JsonLines
{
    /// <exception cref="FormatException">A line is not a JSON object.</exception>
    public static IEnumerable<TextRow> Read(TextReader reader)
    {
        foreach (var (line, text) in TextLines.Of(reader, first: 1))
        {
            yield return new TextRow(line, Values(text, line));
        }
    }

    private static Dictionary<string, string> Values(string text, int line)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.EnumerateObject().Where(property => IsText(property.Value))
                    .ToDictionary(property => property.Name, property => property.Value.ToString(), StringComparer.Ordinal)
                : throw new FormatException($"has no JSON object in line {line}");
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new FormatException($"has no JSON object in line {line}: {e.Message}", e);
        }
    }

    private static bool IsText(JsonElement value) => value.ValueKind is JsonValueKind.String or JsonValueKind.Number;
}
