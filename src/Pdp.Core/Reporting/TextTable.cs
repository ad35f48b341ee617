using System.Globalization;
using System.Text;

namespace Pdp.Reporting;

/// <summary>Rows of values as aligned columns: numbers to the right, text to the left.</summary>
internal sealed class TextTable(params string[] header)
{
    /// <summary>Stands where there is no number.</summary>
    public const string None = "–";

    private readonly List<object[]> _rows = [];

    public static string Percent(double share) => share.ToString("0.00%", CultureInfo.InvariantCulture);

    public static string OneDigit(double? value) => value?.ToString("0.0", CultureInfo.InvariantCulture) ?? None;

    public static string Short(double? value) => value?.ToString("0.###E+0", CultureInfo.InvariantCulture) ?? None;

    public void Add(params object[] row) => _rows.Add(row);

    public override string ToString()
    {
        var cells = _rows.Select(row => row.Select(Text).ToArray()).Prepend(header).ToArray();
        var widths = Enumerable.Range(0, header.Length).Select(column => cells.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in cells)
            text.AppendLine(string.Join("  ", row.Select((cell, column) => Pad(cell, column, widths[column]))).TrimEnd());
        return text.ToString();
    }

    private static string Text(object value) => value switch
    {
        long number => number.ToString("N0", CultureInfo.InvariantCulture),
        _ => (string)value,
    };

    private string Pad(string cell, int column, int width) =>
        _rows.Count > 0 && IsNumber(_rows[^1][column]) ? cell.PadLeft(width) : cell.PadRight(width);

    private static bool IsNumber(object value) => value is long || (value is string text && text.Length > 0 && (char.IsDigit(text[0]) || text == None));
}
