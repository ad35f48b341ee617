using System.Globalization;
using System.Text;

namespace Pdp.Internal;

/// <summary>
/// Formats rows of values in columns, numbers aligned right and text left. A row may end with a note after the columns.
/// </summary>
internal sealed class TextTable(params string[] header)
{
    /// <summary>Stands for a missing number.</summary>
    public const string None = "–";

    /// <summary>The width of a terminal that a table fits into, in characters.</summary>
    private const int Width = 100;

    private readonly List<object[]> _rows = [];

    public static string Percent(double share) => share.ToString("0.00%", CultureInfo.InvariantCulture);

    public static string OneDigit(double? value) => value?.ToString(value < 1e6 ? "0.0" : "0.0e+0", CultureInfo.InvariantCulture) ?? None;

    public static string Short(double? value) => value?.ToString("0.###E+0", CultureInfo.InvariantCulture) ?? None;

    public static object Whole(long? value) => value is { } whole ? whole : None;

    public void Add(params object[] row) => _rows.Add(row);

    public override string ToString() => Write([.. Enumerable.Range(0, header.Length)]);

    /// <summary>The table within 100 characters, and the columns that were left out for that.</summary>
    /// <param name="dispensable">The columns that may be left out, in this order.</param>
    public (string Text, IReadOnlyList<string> LeftOut) Fit(params IEnumerable<string> dispensable)
    {
        var (columns, leftOut) = (Enumerable.Range(0, header.Length).ToList(), new List<string>());
        foreach (var name in dispensable.TakeWhile(_ => columns.Sum(column => WidthOf(column) + 2) - 2 > Width))
        {
            if (columns.Remove(Array.IndexOf(header, name)))
                leftOut.Add(name);
        }

        return (Write([.. columns]), leftOut);
    }

    private string Write(int[] columns)
    {
        var text = new StringBuilder().AppendLine(string.Join("  ", columns.Select(column => Pad(header[column], column))).TrimEnd());
        foreach (var row in _rows)
        {
            var line = string.Join("  ", columns.Select(column => Pad(Text(row[column]), column)));
            var note = row.Length > header.Length ? (string)row[^1] : "";
            text.AppendLine((line.Length + 2 + note.Length <= Width
                ? $"{line}  {note}"
                : $"{line.TrimEnd()}{Environment.NewLine}    {note}").TrimEnd());
        }

        return text.ToString();
    }

    private int WidthOf(int column) => _rows.Select(row => Text(row[column]).Length).Append(header[column].Length).Max();

    private static string Text(object value) => value switch
    {
        long number => number.ToString("N0", CultureInfo.InvariantCulture),
        _ => (string)value,
    };

    private string Pad(string cell, int column) =>
        _rows.Count > 0 && IsNumber(_rows[^1][column]) ? cell.PadLeft(WidthOf(column)) : cell.PadRight(WidthOf(column));

    private static bool IsNumber(object value) =>
        value is long
        || (value is string text && text.Length > 0 && (char.IsDigit(text[0]) || text == None));
}
