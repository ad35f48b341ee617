namespace Pdp.Samples.Cifar10.Gallery;

/// <summary>A table of a page.</summary>
internal sealed record MarkdownTable(IReadOnlyList<string> Heads, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>The first table of a page that has some heads.</summary>
    /// <exception cref="InvalidDataException">The page has none.</exception>
    public static MarkdownTable Read(string page, params string[] heads)
    {
        string[] lines = page.Split('\n');
        var start = Array.FindIndex(lines, line => line.StartsWith('|') && heads.All(Cells(line).Contains));
        return start < 0
            ? throw new InvalidDataException($"The page has no table with the columns {string.Join(", ", heads)}.")
            : new(Cells(lines[start]), [.. lines.Skip(start + 2).TakeWhile(line => line.StartsWith('|')).Select(Cells)]);
    }

    /// <summary>The cells of a column.</summary>
    public IEnumerable<string> Column(string head) => Rows.Select(row => row[Heads.ToList().IndexOf(head)]);

    private static string[] Cells(string line) => [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim())];
}
