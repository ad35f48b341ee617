using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>A channel map is of one model, with the shapes that it had.</summary>
public sealed class ChannelMapFitTests
{
    [Theory]
    [InlineData(10, 12)]
    [InlineData(12, 10)]
    public void Prune_ByTheMapOfAWiderOrNarrowerModel_NamesWhatDiffers(long mapped, long pruned)
    {
        using var model = Model(pruned);

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options(MapOf(mapped))));

        Assert.Contains($"'first.weight' is [{mapped}, 6] in the map and [{pruned}, 6] in the model", fault.Message);
    }

    [Fact]
    public void Prune_ByTheMapOfAnotherModel_NamesWhatIsMissing()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options(MapOf(10))));

        Assert.Contains("'first.weight' is [10, 6] in the map and missing in the model", fault.Message);
    }

    [Fact]
    public void Prune_OfSingleWeightsWithAMap_SaysThatTheStrategyIsMissing()
    {
        using var model = Model(10);
        var options = Options(MapOf(10)) with { Strategy = new Unstructured() };

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));
        using var pruner = new PdpPruner(model, options with
        {
            Rules = [new("first.weight") { Strategy = new PerChannel() }],
        });

        Assert.Contains("set Strategy = new PerChannel(), in the options or in a rule", fault.Message);
    }

    [Fact]
    public void Prune_ByAMapThatMasksABuffer_SaysWhichRoleItHas()
    {
        var (zoo, map) = (Zoo.Get(nameof(GroupedNet)), ZooMaps.Of(nameof(GroupedNet)));
        using var model = zoo.Make();
        var group = map.Groups.First(group => group.Slices.Any(slice => slice.Name.EndsWith("running_mean", StringComparison.Ordinal)));
        var wrong = group with
        {
            Slices = [.. group.Slices.Select(slice => slice.Role == ChannelRole.Follower ? slice with { Role = ChannelRole.Norm } : slice)],
        };

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options(map.With(wrong))));

        Assert.Contains("as a Norm, and it is a buffer", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Follower", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prune_ByABudgetOfAnotherMap_NamesTheGroup()
    {
        var (zoo, map) = (Zoo.Get(nameof(PlainCnn)), ZooMaps.Of(nameof(PlainCnn)));
        using var model = zoo.Make();
        using var example = zoo.Batch(size: 1);
        var group = map.Groups[0];
        var other = map.With(group with { Slices = [.. group.Slices.Where(slice => slice.Role != ChannelRole.Bias)] });
        var budget = new MacBudget(0.5, map, MacCount.Of(model, example));
        var options = Options(other) with { Sparsity = null, Allocation = budget };

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));
        var second = map.Groups[1].Name;
        using var pruner = new PdpPruner(model, options with { Channels = map.Without(second), Exclude = [second] });

        Assert.Contains($"the group '{group.Name}' has other members there", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("linear2.weight", "2:4", true)]
    [InlineData("linear2.weight", "1x4", true)]
    [InlineData("linear2.weight", "5x1", false)]
    [InlineData("linear1.weight", "2:4", false)]
    [InlineData("linear1.weight", "1x32", true)]
    [InlineData("conv2.weight", "1x9", false)]
    [InlineData("conv2.weight", "1x2", true)]
    public void Plan_WithAPatternAlongInputsThatAreCut_WarnsUnlessChannelsOwnWholeGroups(string layer, string pattern, bool isWarned)
    {
        var map = ZooMaps.Of(nameof(PlainCnn));
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var sizes = pattern.Split(':', 'x').Select(int.Parse).ToArray();
        IMaskStrategy strategy = pattern.Contains(':') ? NofM.Keep(sizes[0], of: sizes[1]) : new Block(sizes[0], sizes[1]);
        using var pruner = new PdpPruner(model, Options(map) with { Rules = [new(layer) { Strategy = strategy }] });

        var warned = pruner.Plan().Warnings.Count(warning => warning.Contains("cuts them out of the pattern", StringComparison.Ordinal));

        Assert.Equal(isWarned ? 1 : 0, warned);
    }

    [Fact]
    public void Prune_ByTheMapFromBeforeAShrink_NamesWhatDiffers()
    {
        using var model = Model(10);
        using var example = rand(2, 6);
        var map = ChannelMap.Find(model, example);
        using (var pruner = new PdpPruner(model, Options(map)))
        {
            pruner.BeginEpoch(0);
            pruner.Commit();
            pruner.Shrink(example);
        }

        Assert.Contains(
            "'first.weight' is [10, 6] in the map and [5, 6]",
            Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options(map))).Message);
    }

    [Fact]
    public void Plan_WhenTheModelWasShrunkByARecord_Throws()
    {
        using var model = Model(10);
        using var other = Model(10);
        using var example = rand(2, 6);
        var map = ChannelMap.Find(model, example);
        using var pruner = new PdpPruner(model, Options(map));
        using var second = new PdpPruner(other, Options(map));
        second.BeginEpoch(0);
        second.Commit();
        second.Shrink(example).Record.Apply(model);

        Assert.ThrowsAny<InvalidOperationException>(() => pruner.Plan());
    }

    [Fact]
    public void MacBudget_OfACountOfAnotherModel_NamesWhatDiffers()
    {
        using var model = Model(12);
        using var example = rand(1, 6);
        var macs = MacCount.Of(model, example);

        var fault = Assert.Throws<ArgumentException>(() => new MacBudget(0.5, MapOf(10), macs));

        Assert.Contains("'first.weight' is [10, 6] in the map and [12, 6] in the count of MACs", fault.Message);
    }

    [Fact]
    public void With_AGroupOutsideOfTheModel_NamesWhatIsOutside()
    {
        var map = MapOf(10);
        var group = map.Groups[0];

        Assert.Contains(
            "reach beyond 'first.weight'", Assert.Throws<ArgumentException>(() => map.With(group with { Channels = 11 })).Message);
        Assert.Contains("no 'third.weight'", Assert.Throws<ArgumentException>(() =>
            map.With(group with { Slices = [.. group.Slices, new("third.weight", 1, 0, 1, ChannelRole.Input)] })).Message);
    }

    private static Module<Tensor, Tensor> Model(long width) =>
        Sequential(("first", Linear(6, width)), ("relu", ReLU()), ("second", Linear(width, 3)));

    private static ChannelMap MapOf(long width)
    {
        using var model = Model(width);
        using var example = rand(2, 6);
        return ChannelMap.Find(model, example);
    }

    private static PdpOptions Options(ChannelMap map) => new()
    {
        Epochs = 1,
        Sparsity = 0.5,
        Strategy = new PerChannel(),
        Channels = map,
        Schedule = new ConstantSparsity(),
        Allocation = new UniformSparsity(),
    };
}
