namespace Pdp.Samples.Bert.Text;

/// <summary>Reads tab-separated values with the columns' names in the first line. Quotes mean nothing, as in GLUE.</summary>
internal static class TabSeparated
{
    /// <exception cref="FormatException">There is no header of two columns, or a line has more or fewer values than columns.</exception>
    public static IEnumerable<TextRow> Read(TextReader reader)
    {
        if (reader.ReadLine()?.Split('\t') is not { Length: > 1 } columns)
        {
            throw new FormatException("has no header with the names of at least two columns, separated by tabs");
        }

        if (columns.GroupBy(column => column).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new FormatException($"has two columns {twice.Key}");
        }

        foreach (var (line, text) in TextLines.Of(reader, first: 2))
        {
            var values = text.Split('\t');
            yield return values.Length == columns.Length
                ? new TextRow(line, columns.Zip(values).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal))
                : throw new FormatException($"has {values.Length} values in line {line}, but {columns.Length} columns");
        }
    }
}
