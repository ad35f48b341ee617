using System.Text.RegularExpressions;

namespace Pdp.Tests.Architecture;

/// <summary>The sources keep to the table of rooms.</summary>
public sealed partial class RoomTests
{
    private const int LongestFile = 250;

    private static readonly Rooms[] Libraries = [Rooms.Core, Rooms.Sparse, Rooms.Training, Rooms.Baselines];

    public static TheoryData<string> Names => [.. Libraries.Select(rooms => rooms.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Table_OfRooms_PointsDownwards(string library)
    {
        var rooms = Of(library);
        string[] order = [.. rooms.Table.Select(row => row.Room)];

        Assert.All(rooms.Table.Index(), row => Assert.All(
            row.Item.Uses, used => Assert.InRange(Array.IndexOf(order, used), 0, row.Index - 1)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Sources_OfTheLibrary_UseTheRoomsOfTheTable(string library)
    {
        var rooms = Of(library);
        var sources = rooms.Sources;
        Assert.NotNull(sources);

        var arrows = SourceArrows.Of(sources, rooms.Lent);

        var allowed = rooms.Table.SelectMany(row => row.Uses.Select(used => (row.Room, used))).ToHashSet();
        Assert.Empty(arrows.Where(arrow => !allowed.Contains((arrow.From, arrow.To))).Select(arrow => arrow.Place));
        Assert.Empty(allowed.Except(arrows.Select(arrow => (arrow.From, arrow.To))));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Files_OfTheLibrary_LieInARoomAndAreShort(string library)
    {
        var rooms = Of(library);
        var sources = rooms.Sources;
        Assert.NotNull(sources);

        Assert.All(sources.Keys, path => Assert.Contains(Rooms.Of(path), rooms.Table.Select(row => row.Room)));
        Assert.Empty(sources.Where(source => source.Value.Count(character => character == '\n') > LongestFile)
            .Select(source => source.Key));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Namespaces_OfTheLibrary_AreThoseOfFoldersAndTheFirstForWhatIsPublic(string library)
    {
        var rooms = Of(library);
        var sources = rooms.Sources;
        Assert.NotNull(sources);

        Assert.All(sources, source => Assert.Equal(
            PublicType().IsMatch(source.Value) || !source.Key.Contains('/', StringComparison.Ordinal)
                ? rooms.Namespace : $"{rooms.Namespace}.{source.Key[..source.Key.LastIndexOf('/')].Replace('/', '.')}",
            Namespace().Match(source.Value).Groups[1].Value));
    }

    [Theory]
    [InlineData("namespace Pdp.Masking; class A { int B() => Saving.Store.Limit; }")]
    [InlineData("using Pdp.Saving; namespace Pdp.Masking; class A { int B() => Store.Limit; }")]
    [InlineData("using Pdp.Saving; namespace Pdp.Masking; class A { object B(Store c) => c; }")]
    [InlineData(
        "namespace Pdp.Masking; class A { object B(Pdp.Saving.Store c) => new System.Collections.Generic.List<Pdp.Saving.Store>(); }")]
    public void Arrows_OfAReference_AreSeen(string source)
    {
        var arrows = SourceArrows.Of(new Dictionary<string, string>
        {
            ["Masking/A.cs"] = source,
            ["Saving/Store.cs"] = "namespace Pdp.Saving; class Store { public const int Limit = 1; }",
        }, new Dictionary<string, string>());

        Assert.Contains(arrows, arrow => arrow is { From: "Masking", To: "Saving", Place: "Masking/A.cs(1): Store" });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Page_OfTheRooms_NamesEachOfThem(string library)
    {
        var rooms = Of(library);
        Assert.NotNull(rooms.Sources);

        var page = File.ReadAllText(Path.Combine(Support.Repository.Root!, "src", library, "README.md"));

        Assert.All(rooms.Table.Where(row => row.Room != Rooms.Root), row => Assert.Contains(
            $"`{row.Room}`", page, StringComparison.Ordinal));
    }

    private static Rooms Of(string library) => Libraries.Single(rooms => rooms.Name == library);

    [GeneratedRegex(
        @"^public (?:sealed |abstract |static |readonly |partial |ref )*(?:class|record|struct|interface|enum) ", RegexOptions.Multiline)]
    private static partial Regex PublicType();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
