using CsCheck;
using Pdp.Channels.Cutting;
using Pdp.Reporting;
using Pdp.Tests.Support;

namespace Pdp.Tests.Channels;

/// <summary>What is left of a count after channels are removed.</summary>
public sealed class MacCountAfterTests
{
    /// <summary>Networks whose channels can be cut, by name.</summary>
    public static TheoryData<string> Networks => [.. Zoo.All.Select(model => model.Name)];

    [Theory]
    [MemberData(nameof(Networks))]
    public void After_AnyCut_IsTheCountOfTheModelThatWasReallyCut(string name)
    {
        var zoo = Zoo.Get(name);
        using var example = zoo.Batch(size: 1);
        var map = ZooMaps.Of(name);
        Assert.NotEmpty(map.Groups);

        Law.Holds(Gen.Int[0, 1_000_000], seed =>
        {
            using var model = zoo.Make();
            var count = MacCount.Of(model, example);
            var sizes = new SizeAccount(model, map, count);
            var kept = map.Groups.Select(group => (group, Some(group.Channels, new Random(seed)))).ToArray();
            ChannelCut[] cuts = [.. kept.Select(pair => new ChannelCut(pair.group, pair.group.Channels - pair.Item2.Count))];
            using var surgery = Surgery.Keep(model, kept);

            var recount = MacCount.Of(model, example);

            Assert.Equal(Rows(recount), Rows(count.After(cuts)));
            Assert.Equal(new SizeAccount(model, map, null).After([]).Before with { Macs = recount.Total }, sizes.After(cuts).After);
        }, count: 2);
    }

    [Fact]
    public void After_NothingOrMore_FallsFromTheWhole()
    {
        var (map, count) = Probed(nameof(VggLike));

        long[] left = [.. Enumerable.Range(0, 8).Select(
            removed => count.After(map.Groups.Select(group => new ChannelCut(group, removed))).Total)];

        Assert.Equal(count.Total, left[0]);
        Assert.Equal(left.OrderDescending(), left);
        Assert.Equal(left.Length, left.Distinct().Count());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(8)]
    public void After_ANumberOfChannelsThatAGroupCannotLose_Throws(long removed)
    {
        var (map, count) = Probed(nameof(PlainCnn));

        var fault = Assert.Throws<ArgumentOutOfRangeException>("cuts", () => count.After([new(map.Groups[0], removed)]));

        Assert.Contains("[0, 8) for conv1.weight", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void After_ACutOfAnotherModel_NamesTheGroup()
    {
        var (map, _) = Probed(nameof(UNet));
        var (_, count) = Probed(nameof(Mlp));

        var fault = Assert.Throws<ArgumentException>(() => count.After([new(map.Groups[0], 1)]));

        Assert.Contains(map.Groups[0].Name, fault.Message, StringComparison.Ordinal);
    }

    private static (ChannelMap Map, MacCount Count) Probed(string name)
    {
        using var model = Zoo.Get(name).Make();
        using var example = Zoo.Get(name).Batch(size: 1);
        return (ZooMaps.Of(name), MacCount.Of(model, example));
    }

    /// <summary>Some channels, one at least, in order.</summary>
    private static IReadOnlyList<long> Some(long channels, Random random) =>
        [.. random.GetItems([.. Enumerable.Range(0, (int)channels)], random.Next(1, (int)channels + 1)).Distinct().Order().Select(
            channel => (long)channel)];

    private static IEnumerable<string> Rows(MacCount count) =>
        count.Layers.Select(layer => $"{layer.Name} {layer.Weight} [{string.Join(", ", layer.Shape)}] {layer.Positions} {layer.Macs}");
}
