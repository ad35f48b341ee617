using System.Text.RegularExpressions;
using System.Xml.Linq;
using Pdp.Tests.Support;

namespace Pdp.Tests.Architecture;

/// <summary>The libraries refer to one another as the diagram on the pages shows.</summary>
public sealed partial class ProjectTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("src/Pdp.Core/README.md")]
    public void References_OfTheLibraries_AreTheArrowsOfTheDiagram(string page)
    {
        Assert.NotNull(Repository.Root);
        var diagram = File.ReadLines(Path.Combine(Repository.Root, page)).Single(line => line.StartsWith("Pdp.", StringComparison.Ordinal));

        Assert.Equal(ReferencesIn(Path.Combine(Repository.Root, "src")).Order(), ArrowsOf(diagram).Order());
    }

    [Fact]
    public void Arrows_OfADiagram_AreReadInBothDirections() =>
        Assert.Equal([("A.A", "B.B"), ("C.C", "B.B"), ("C.C", "D.D")], ArrowsOf("A.A ──► B.B ◄── C.C ──► D.D"));

    private static IEnumerable<(string From, string To)> ReferencesIn(string folder) =>
        from project in Directory.GetDirectories(folder).SelectMany(library => Directory.GetFiles(library, "*.csproj"))
        from reference in XDocument.Load(project).Descendants("ProjectReference")
        select (Path.GetFileNameWithoutExtension(project), Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));

    private static IEnumerable<(string From, string To)> ArrowsOf(string diagram) =>
        // Each name but the last is also the right end of the arrow before, hence the look ahead.
        from arrow in Arrow().Matches(diagram)
        let names = (Left: arrow.Groups[1].Value, Right: arrow.Groups[3].Value)
        select arrow.Groups[2].Value == "──►" ? names : (names.Right, names.Left);

    [GeneratedRegex(@"(?<![\w.])([\w.]+) (?=(──►|◄──) ([\w.]+))")]
    private static partial Regex Arrow();
}
