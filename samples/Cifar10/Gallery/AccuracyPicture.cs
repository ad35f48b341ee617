using System.Globalization;
using System.Text.RegularExpressions;
using Pdp.Samples.Drawing;

namespace Pdp.Samples.Cifar10.Gallery;

/// <summary>The accuracy of each method over its sparsity, as the comparison's table has them.</summary>
internal static partial class AccuracyPicture
{
    private const double Lowest = 60;
    private const double Highest = 85;
    private static readonly string[] Sparsities = ["80 %", "90 %", "95 %"];

    public static Chart Of(string page)
    {
        var table = MarkdownTable.Read(page, Sparsities);
        var methods = table.Rows.Where(row => row[0] != Methods.Dense && !row[0].StartsWith('*'))
            .Select(row => (Name: row[0], Points: Points(table, row)))
            .Where(method => method.Points.Length > 0);
        var dense = Number().Match(table.Rows.Single(row => row[0] == Methods.Dense)[1]).Groups[1].Value;
        return new Chart
        {
            Title = "ResNet-20 on CIFAR-10, 320 steps: accuracy after the commit",
            X = new Axis("weights removed, % of the prunable ones", 79, 97, [new(80, "80"), new(90, "90"), new(95, "95")]),
            Y = Axis.Around("top-1, %, mean of two seeds", [], Lowest, Highest),
            Marks = [.. methods.Select(Curve), new Rule($"dense, {dense}", 8, [double.Parse(dense, CultureInfo.InvariantCulture)])],
            Width = 640,
            Height = 400,
        };
    }

    private static Line Curve((string Name, Point[] Points) method, int index)
    {
        var (least, most) = (method.Points.Min(point => point.Y), method.Points.Max(point => point.Y));
        var below = most < Lowest ? FormattableString.Invariant($" (below, {least:0} to {most:0})") : "";
        return new Line(method.Name + below, index, method.Points) { IsBold = method.Name == Methods.Pdp };
    }

    // A cell is 81.68 ± 0.16, with the sparsity in parentheses where it isn't the column's.
    private static Point[] Points(MarkdownTable table, IReadOnlyList<string> row) =>
    [
        .. Sparsities.Select(head => (Head: head, Match: Number().Match(row[table.Heads.ToList().IndexOf(head)])))
            .Where(cell => cell.Match.Success)
            .Select(cell => new Point(
                Parse(cell.Match.Groups[2].Success ? cell.Match.Groups[2].Value : cell.Head[..2]), Parse(cell.Match.Groups[1].Value))),
    ];

    private static double Parse(string number) => double.Parse(number, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"([\d.]+) ± [\d.]+(?: \(([\d.]+) % †\))?")]
    private static partial Regex Number();
}
