namespace Pdp.Samples.Bert.Text;

/// <summary>Reads lines with their numbers; blank ones at the end of a file don't count.</summary>
internal static class TextLines
{
    /// <param name="reader">The text.</param>
    /// <param name="first">The number of its first line.</param>
    /// <exception cref="FormatException">A blank line is followed by others.</exception>
    public static IEnumerable<(int Line, string Text)> Of(TextReader reader, int first)
    {
        int? blank = null;
        for (var line = first; reader.ReadLine() is { } text; line++)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                blank ??= line;
                continue;
            }

            yield return blank is null ? (line, text) : throw new FormatException($"has nothing in line {blank}, but text after it");
        }
    }
}
