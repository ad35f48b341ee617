using System.Xml.Linq;
using Pdp.Samples.Drawing;

namespace Pdp.Samples.Reports;

/// <summary>A run as a page of HTML that needs nothing besides itself: no network, no script and no font.</summary>
internal sealed record RunPage
{
    /// <summary>The name of the file in the folder of <c>--out</c>.</summary>
    public const string FileName = "report.html";

    public required string Title { get; init; }

    /// <summary>What the run is, in a line.</summary>
    public required string Subtitle { get; init; }

    /// <summary>The numbers that matter most.</summary>
    public required IReadOnlyList<Fact> Facts { get; init; }

    /// <summary>The results of each epoch.</summary>
    public required IReadOnlyList<EpochNumbers> Epochs { get; init; }

    /// <summary>The layers; null in a dense run.</summary>
    public PruningReport? Pruning { get; init; }

    /// <summary>Some weights just before the commit.</summary>
    public IReadOnlyList<WeightSnapshot> Weights { get; init; } = [];

    /// <summary>What the network takes up before the commit.</summary>
    public required Footprint Before { get; init; }

    /// <summary>What it takes up as it is saved.</summary>
    public required Footprint After { get; init; }

    /// <summary>The settings that decide the numbers, by option. Paths and threads are not part of them.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>The text of the page.</summary>
    public string ToHtml() => "<!DOCTYPE html>\n" + new XElement(
        "html",
        new XAttribute("lang", "en"),
        new XElement(
            "head",
            new XElement("meta", new XAttribute("charset", "utf-8")),
            new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
            new XElement("meta", new XAttribute("name", "color-scheme"), new XAttribute("content", "light dark")),
            new XElement("title", Svg.Printable(Title)),
            new XElement("style", ChartStyle.Css + "\n" + PageStyle.Css)),
        new XElement("body", new XElement("main", Body()))) + "\n";

    private IEnumerable<XElement?> Body()
    {
        yield return new XElement("h1", Svg.Printable(Title));
        yield return new XElement("p", new XAttribute("class", "subtitle"), Svg.Printable(Subtitle));
        yield return new XElement("dl", new XAttribute("class", "facts"), Facts.Select(fact =>
            new XElement("div", new XElement("dt", Svg.Printable(fact.Name)), new XElement("dd", Svg.Printable(fact.Value)))));
        yield return Warnings();
        yield return Section("Epochs", Charts(EpochCharts.Of(Epochs, Pruning is not null)));
        yield return Pruning is null ? null : Section("Layers", PageTables.Layers(Pruning));
        yield return Weights.Count == 0 ? null : Section(
            "Weights and masks at the end of training",
            new XElement("p", "Bars: the dense weights. "
                + "Curve: the factor m by which each is multiplied in training. Commit zeroes those between the thresholds."),
            Charts([.. Weights.Select(snapshot => MaskChart.Of(snapshot))]));
        yield return Section(
            "Size",
            PageTables.Sizes(("before commit", Before), ("as saved", After)),
            new XElement("p", "Packed: in a sparse file, which holds the values that are not zero and their places."));
        yield return Section("Settings", PageTables.Settings(Settings), new XElement("p", Sample.Versions));
    }

    private XElement? Warnings() => Pruning is not { Warnings.Count: > 0 } ? null : new XElement(
        "ul", new XAttribute("class", "warnings"), Pruning.Warnings.Select(warning => new XElement("li", Svg.Printable(warning))));

    private static XElement Section(string title, params object[] content) => new("section", new XElement("h2", title), content);

    private static XElement Charts(IReadOnlyList<Chart> charts) => charts.Count == 0
        ? new XElement("p", "Nothing was measured.")
        : new XElement("div", new XAttribute("class", "charts"), charts.Select(chart => chart.ToSvg()));
}
