using System.Text.RegularExpressions;
using System.Xml.Linq;
using Pdp.Samples.Reports;

namespace Pdp.Samples.Tests.Reports;

public sealed partial class RunPageTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(8, 18)]
    [InlineData(200, 60)]
    public void ToHtml_OfRunsOfAnyLength_HasARowForEachLayerAndAnElementForEachChart(int epochs, int layers)
    {
        var page = Page(epochs, layers);

        var html = Parse(page.ToHtml());

        Assert.Equal(layers, html.Descendants("table").First().Element("tbody")!.Elements("tr").Count());
        Assert.Equal(epochs == 0 ? 1 : 4, html.Descendants(Svg + "svg").Count(svg => (string?)svg.Attribute("class") == "chart"));
    }

    [Fact]
    public void ToHtml_WhenNumbersAreNotFinite_LeavesGapsAndWritesNoNaNAsAPosition()
    {
        var page = Page(6, 2) with
        {
            Epochs = [.. Enumerable.Range(1, 6).Select(
            epoch => new EpochNumbers(epoch, epoch == 3 ? double.NaN : 1, double.PositiveInfinity, double.NaN, 0.5))]
        };

        var html = Parse(page.ToHtml());

        var numbers = html.Descendants()
            .Where(element => element.Name.Namespace == Svg).Attributes().Where(attribute => attribute.Name.LocalName is "d" or "x" or "y");
        Assert.All(numbers, number => Assert.DoesNotMatch("NaN|Infinity|∞", number.Value));
        Assert.Contains(html.Descendants(Svg + "path"), path => ((string?)path.Attribute("d"))!.Count(letter => letter == 'M') == 2);
    }

    [Fact]
    public void ToHtml_OfTextThatLooksLikeMarkup_EscapesIt()
    {
        const string name = "<script>alert(\"1\")</script> & \u0001";
        var page = Page(2, 1) with
        {
            Title = name,
            Subtitle = name,
            Facts = [new(name, name)],
            Settings = new Dictionary<string, string> { [name] = name },
        };

        var html = page.ToHtml();

        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.Equal("<script>alert(\"1\")</script> & ", Parse(html).Descendants("h1").Single().Value);
    }

    [Fact]
    public void ToHtml_OfAnyRun_NeedsNothingFromElsewhere()
    {
        var html = Page(8, 18).ToHtml().Replace(Svg.NamespaceName, "", StringComparison.Ordinal);

        Assert.DoesNotMatch("https?:|url\\(|@import|<link|<script|src=", html);
    }

    /// <summary>Readers of HTML, not being readers of XML, take such an element as one that goes on.</summary>
    [Fact]
    public void ToHtml_OfAnyRun_ClosesElementsThatHaveNoContent() =>
        Assert.DoesNotMatch(ClosedAtOnce(), Page(8, 18).ToHtml());

    [Fact]
    public void ToHtml_OfADenseRun_HasNoLayersAndNoMasks()
    {
        var html = (Page(3, 1) with { Pruning = null, Weights = [] }).ToHtml();

        Assert.DoesNotContain("Layers", html, StringComparison.Ordinal);
        Assert.DoesNotContain("commit", html.Replace("before commit", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [GeneratedRegex("<(div|td|th|p|li|span|dd|dt|section|title|style)( [^>]*)?/>")]
    private static partial Regex ClosedAtOnce();

    private static XElement Parse(string html) => XDocument.Parse(html).Root!;

    private static RunPage Page(int epochs, int layers) => new()
    {
        Title = "a network",
        Subtitle = "a run",
        Facts = [new("accuracy", "85.29 %")],
        Epochs = [.. Enumerable.Range(1, epochs).Select(epoch => new EpochNumbers(epoch, 1.0 / epoch, 0.8, 0.7, 0.9))],
        Pruning = new PruningReport
        {
            Layers = [.. Enumerable.Range(0, layers).Select(Layer)],
            Epoch = epochs,
            IsCommitted = true,
            ModelParameters = 1000,
            Leak = 0,
            Warnings = ["look at it"],
        },
        Weights = [new WeightSnapshot("layer0", epochs, 0.5, [1, 2, 3, 2], 0.2, 1e-3)],
        Before = new Footprint(1000, 0, 4000, 4000, 7),
        After = new Footprint(1000, 900, 4000, 525, null),
        Settings = new Dictionary<string, string> { ["--seed"] = "0" },
    };

    private static LayerReport Layer(int index) => new()
    {
        Name = $"layer{index}",
        Strategy = "unstructured",
        Elements = 100,
        Removed = 90,
        Zeros = 90,
        Threshold = 0.1,
        Temperature = 1e-4,
        Sharpness = 100,
        Undecided = 0,
        Leak = 0,
        Subnormals = 0,
        Violations = 0,
    };
}
