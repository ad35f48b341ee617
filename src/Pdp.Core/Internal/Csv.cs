namespace Pdp.Internal;

/// <summary>Comma-separated values by RFC 4180.</summary>
internal static class Csv
{
    /// <summary>A text as a value, in quotes where it needs them.</summary>
    public static string Quoted(string text) =>
        text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
