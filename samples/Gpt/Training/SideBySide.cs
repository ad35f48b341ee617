using System.Text;

namespace Pdp.Samples.Gpt.Training;

/// <summary>Two texts in columns of a page.</summary>
internal static class SideBySide
{
    private const int Width = 46;

    public static string Of(string leftHead, string left, string rightHead, string right)
    {
        var (lines, others) = (Lines(leftHead, left), Lines(rightHead, right));
        var page = new StringBuilder();
        for (var line = 0; line < Math.Max(lines.Count, others.Count); line++)
        {
            page.Append($"{lines.ElementAtOrDefault(line) ?? "",-Width} | {others.ElementAtOrDefault(line) ?? ""}".TrimEnd()).Append('\n');
        }

        return page.ToString();
    }

    private static List<string> Lines(string head, string text) =>
        [head, new string('-', head.Length), .. text.Split('\n').SelectMany(Broken)];

    private static IEnumerable<string> Broken(string line)
    {
        while (line.Length > Width)
        {
            var end = line.LastIndexOf(' ', Width);
            var length = end > 0 ? end : char.IsLowSurrogate(line[Width]) ? Width - 1 : Width;
            yield return line[..length];
            line = line[length..].TrimStart();
        }

        yield return line;
    }
}
