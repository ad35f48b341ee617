using System.Globalization;
using System.Xml.Linq;
using Pdp.Samples.Drawing;

namespace Pdp.Samples.Reports;

/// <summary>The tables of a run's page.</summary>
internal static class PageTables
{
    private const string None = "–";

    /// <summary>A row for each pruned layer, with its sparsity as a bar.</summary>
    public static XElement Layers(PruningReport report) => Table(
        ["layer", "sparsity", "", "weights", "removed", "undecided", "leak", "strategy"],
        report.Layers.Select(layer => Row(
            layer.Name, Percent(layer.Sparsity), Bar(layer.Sparsity), Count(layer.Elements), Count(layer.Removed), Percent(layer.Undecided),
            Percent(layer.Leak), layer.Strategy)),
        Row("all prunable", Percent(report.Sparsity), Bar(report.Sparsity), Count(report.PrunableWeights), Count(report.Removed),
            Percent(report.Undecided), Percent(report.Leak), ""),
        Row("whole network", Percent(report.ModelSparsity), Bar(report.ModelSparsity), Count(report.ModelParameters), Count(report.Removed),
            None, None, ""));

    /// <summary>What the network takes up, a row for each moment.</summary>
    public static XElement Sizes(params IReadOnlyList<(string Name, Footprint Size)> sizes) => Table(
        ["network", "parameters", "zeros", "bytes dense", "bytes packed", "MACs"],
        sizes.Select(entry => Row(
            entry.Name, Count(entry.Size.Parameters), Count(entry.Size.Zeros), Bytes(entry.Size.Bytes), Bytes(entry.Size.PackedBytes),
            entry.Size.Macs is { } macs ? Count(macs) : None)));

    /// <summary>The settings by option.</summary>
    public static XElement Settings(IReadOnlyDictionary<string, string> settings)
    {
        var table = Table(["option", "value"], settings.Select(setting => Row(setting.Key, setting.Value)));
        table.SetAttributeValue("class", "scroll pairs");
        return table;
    }

    // A wide table scrolls by itself, not the page.
    private static XElement Table(string[] heads, IEnumerable<XElement> rows, params XElement[] sums) => new(
        "div",
        new XAttribute("class", "scroll"),
        new XElement(
            "table",
            new XElement("thead", new XElement("tr", heads.Select(head => new XElement("th", head)))),
            new XElement("tbody", rows),
            sums.Length == 0 ? null : new XElement("tfoot", sums)));

    private static XElement Row(params object[] cells) =>
        new("tr", cells.Select(cell => new XElement("td", cell is string text ? Svg.Printable(text) : cell)));

    // An element without content would be left open by readers of HTML.
    private static XElement Bar(double share) => new(
        "div",
        new XAttribute("class", "bar"),
        new XElement("div", new XAttribute("style", $"width:{Svg.Number(100 * Math.Clamp(double.IsNaN(share) ? 0 : share, 0, 1))}%"), ""));

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Percent(double share) => share.ToString("0.00 %", CultureInfo.InvariantCulture);

    private static string Bytes(long bytes) => bytes switch
    {
        < 1 << 10 => $"{bytes} B",
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
    };
}
