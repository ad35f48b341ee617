using System.Globalization;
using System.Text.RegularExpressions;
using Pdp.Samples.Drawing;

namespace Pdp.Samples.Cifar10.Gallery;

/// <summary>The time that a training step spends in the library, over the dense step, as the benchmarks' table has it.</summary>
internal static partial class CostPicture
{
    private const string Share = "library's share";

    public static Chart Of(string page)
    {
        var table = MarkdownTable.Read(page, "network", "strategy", Share);
        string[] names = [.. table.Column("network").Select(network => network.Split(',')[0])];
        Point[] shares = [.. table.Column(Share).Select((cell, index) => new Point(index, Percent(cell)))];
        return new Chart
        {
            Title = "Time in the library, over the dense training step",
            X = Axis.Named("unstructured masks, two threads of a CPU", names),
            Y = Axis.Around("%", [0, .. shares.Select(share => share.Y)], low: 0),
            Marks = [new Bars(null, 0, shares, 0.5)],
            Width = 460,
        };
    }

    private static double Percent(string cell) => Number().Match(cell) is { Success: true } match
        ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
        : throw new InvalidDataException($"The table has the share '{cell}', which is not a percentage.");

    [GeneratedRegex(@"([\d.]+) %")]
    private static partial Regex Number();
}
