using System.Text;

namespace Pdp.Samples.Bert.Text;

/// <summary>The texts of a file with their labels: MNLI's own files, and those of the other tasks of GLUE with the same columns.</summary>
/// <param name="Pairs">The texts that have a label.</param>
/// <param name="Unlabelled">The number of pairs left out, on whose label people didn't agree: MNLI's <c>-</c>.</param>
internal sealed record TextFile(IReadOnlyList<TextPair> Pairs, int Unlabelled)
{
    private const string NoLabel = "-";

    /// <summary>UTF-8 that throws on anything else.</summary>
    internal static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file: <c>.jsonl</c> has an object a line, any other is tab-separated.</summary>
    /// <exception cref="InvalidDataException">It is empty or damaged, lacks a column, or is not UTF-8.</exception>
    public static TextFile Read(string path)
    {
        try
        {
            using var reader = new StreamReader(path, Strict);
            var rows = path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) ? JsonLines.Read(reader) : TabSeparated.Read(reader);
            TextPair[] all = [.. rows.Select(row => row.ToPair())];
            TextPair[] pairs = [.. all.Where(pair => pair.Label != NoLabel)];
            return pairs.Length > 0 ? new(pairs, all.Length - pairs.Length) : throw new FormatException("has no texts with a label");
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"'{path}' {e.Message}.", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"'{path}' is not text in UTF-8: {e.Message}", e);
        }
    }
}
