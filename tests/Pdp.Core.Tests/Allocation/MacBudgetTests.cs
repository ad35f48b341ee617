using CsCheck;
using Pdp.Channels.Shrinking;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

public sealed class MacBudgetTests
{
    private static readonly Dictionary<string, (ChannelMap Map, MacCount Macs)> Probed = new[] { nameof(PlainCnn), nameof(BottleneckNet), nameof(InvertedNet), nameof(UNet), nameof(VggLike) }
        .ToDictionary(name => name, name => Probe(name));

    /// <summary>Magnitudes of every channel with bounds that often bind; coarse, so that many are tied, or not.</summary>
    private static readonly Gen<Contest> Contests =
        from name in Gen.Int[0, Probed.Count - 1].Select(i => Probed.Keys.Order().ElementAt(i))
        from seed in Gen.Int[0, 1_000_000]
        from isCoarse in Gen.Bool
        from share in Gen.Double[0.01, 0.99]
        select Contest.Of(name, seed, isCoarse, share);

    [Fact]
    public void Allocate_AnyBudget_IsTheNearestOfAllCutsThroughTheOrder() => Law.Holds(Contests, contest =>
    {
        var channels = contest.Allocate();

        var cuts = contest.AllCuts().ToArray();
        Assert.Equal(cuts.Min(cut => Math.Abs(contest.RemovedBy(cut) - contest.Asked)), Math.Abs(contest.RemovedBy(channels) - contest.Asked));
        Assert.Contains(cuts, cut => cut.SequenceEqual(channels));
    }, count: 40);

    [Fact]
    public void Allocate_ALargerBudget_TakesNoFewerChannelsOfAnyGroup() => Law.Holds(Contests, contest =>
    {
        var less = contest with { Fraction = (contest.Fraction + contest.Least) / 2 };

        Assert.All(less.Allocate().Zip(contest.Allocate()), pair => Assert.True(pair.First <= pair.Second));
    }, count: 20);

    [Fact]
    public void Allocate_WithTies_TakesTheFirstGroupsFirst()
    {
        var contest = Contest.Of(nameof(PlainCnn), 0, isCoarse: true, 0) with { Fraction = 0.3 };
        contest = contest with { Groups = [.. contest.Groups.Select(group => group with { Magnitudes = [.. group.Magnitudes.Select(_ => 1.0)], Minimum = 0, Maximum = group.Magnitudes.Length - 1 })] };

        var channels = contest.Allocate();

        // Of 114,532 each channel of conv1 saves 13,824, half of it in conv2; behind the seventh each of conv2 saves 896, 320 of it in linear1.
        Assert.Equal([2, 0, 0], channels);
        Assert.Equal([7, 7, 0], (contest with { Fraction = 0.9 }).Allocate());
    }

    [Fact]
    public void FixedSparsity_OfABudget_IsTheShareOfTheWeightsThatItTakes() => Law.Holds(Contests, contest =>
    {
        using var scope = NewDisposeScope();
        var layers = contest.Layers();

        var sparsity = contest.Budget.FixedSparsity(layers);

        var counts = contest.Groups.Zip(contest.Allocate(), (group, channels) => group.Width * channels);
        Assert.Equal(counts.Sum(), sparsity!.Value * layers.Sum(layer => layer.Layout.Elements), 1e-6);
    }, count: 10);

    [Fact]
    public void Allocate_AnotherTotalThanTheBudgets_Throws()
    {
        using var scope = NewDisposeScope();
        var contest = Contest.Of(nameof(PlainCnn), 1, isCoarse: false, 0.5);
        var total = contest.Groups.Zip(contest.Allocate(), (group, channels) => group.Width * channels).Sum();

        Assert.Throws<ArgumentOutOfRangeException>("remove", () => contest.Budget.Allocate(contest.Layers(), total + 1));
    }

    [Fact]
    public void FixedSparsity_OfABudgetThatCannotBeMet_SaysWhatCan()
    {
        using var scope = NewDisposeScope();
        var contest = Contest.Of(nameof(PlainCnn), 1, isCoarse: false, 0.5);
        var most = contest.RemovedBy([.. contest.Groups.Select(group => group.Maximum)]);

        var much = Assert.Throws<ArgumentException>(() => (contest with { Fraction = 0.9999 }).Budget.FixedSparsity(contest.Layers()));
        var little = Assert.Throws<ArgumentException>(() => (contest with { Fraction = 1e-9 }).Budget.FixedSparsity(contest.Layers(minimum: 1)));

        Assert.Contains($"no more than {most:N0} (", much.Message, StringComparison.Ordinal);
        Assert.Contains("the minimum sparsity of layers already removes", little.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FixedSparsity_WithALayerThatIsNoGroup_NamesIt()
    {
        using var scope = NewDisposeScope();
        var budget = Contest.Of(nameof(PlainCnn), 1, isCoarse: false, 0.5).Budget;

        var unknown = Assert.Throws<ArgumentException>(() => budget.FixedSparsity([new() { Name = "linear2.weight", Layout = new([5, 20]), Weight = ones(5, 20), Minimum = 0, Maximum = 99 }]));
        var unstructured = Assert.Throws<ArgumentException>(() => budget.FixedSparsity([new() { Name = "linear1.weight", Layout = new([20, 192]), Weight = rand(20, 192), Minimum = 0, Maximum = 99 }]));
        var untied = Assert.Throws<ArgumentException>(() => budget.FixedSparsity([new() { Name = "conv1.weight", Layout = new([8, 3, 3, 3]), Weight = ones(8, 3, 3, 3), Minimum = 0, Maximum = 99 }]));

        Assert.Contains("linear2.weight is not one of them", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("linear1.weight are pruned one by one", unstructured.Message, StringComparison.Ordinal);
        Assert.Contains("set PdpOptions.Channels", untied.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-0.5)]
    [InlineData(double.NaN)]
    public void Constructor_WithAFractionOutsideOfItsRange_Throws(double fraction)
    {
        var (map, macs) = Probed[nameof(PlainCnn)];

        Assert.Throws<ArgumentOutOfRangeException>(nameof(fraction), () => new MacBudget(fraction, map, macs));
    }

    [Fact]
    public void Constructor_WithTheCountOfAnotherModel_Throws() =>
        Assert.Throws<ArgumentException>(() => new MacBudget(0.5, Probed[nameof(UNet)].Map, Probed[nameof(InvertedNet)].Macs));

    [Fact]
    public void Allocate_LeavesNoTensorBehind()
    {
        var contest = Contest.Of(nameof(BottleneckNet), 1, isCoarse: false, 0.5);
        using var scope = NewDisposeScope();
        var layers = contest.Layers();

        Leaks.None(() => contest.Budget.FixedSparsity(layers));
    }

    [Fact]
    public void Prune_WithABudget_LeavesAModelWithThatShareOfMacs()
    {
        var zoo = Zoo.Get(nameof(BottleneckNet));
        using var model = zoo.Make();
        using var example = zoo.Batch(size: 1);
        var (map, macs) = Probed[nameof(BottleneckNet)];
        using var pruner = new PdpPruner(model, Options(new MacBudget(0.5, map, macs), map));
        var plan = pruner.Plan();
        pruner.BeginEpoch(0);

        var report = pruner.Commit();

        using var surgery = Surgery.Keep(model, [.. map.Groups.Select(group => (group, Loud(model, group)))]);
        var left = MacCount.Of(model, example).Total;
        Assert.Equal((macs.Total, left), (report.Size!.Before.Macs!.Value, report.Size.After.Macs!.Value));
        Assert.Equal(plan.Size, report.Size);
        Assert.Equal(model.parameters().Sum(parameter => parameter.numel()), report.Size.After.Parameters);
        Assert.Equal(4 * report.Size.Before.Parameters, report.Size.Before.Bytes);
        Assert.InRange(left / (double)macs.Total, 0.45, 0.55);
    }

    [Fact]
    public void Pruner_WithARuleThatFixesAGroup_SaysWhatToDo()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var (map, macs) = Probed[nameof(PlainCnn)];
        var options = Options(new MacBudget(0.5, map, macs), map) with { Rules = [new("conv1.weight") { Sparsity = 0.5 }] };

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));

        Assert.Contains("fixes the sparsity of 'conv1.weight'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pruner_WithTheMacsOfAnotherModel_Throws()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var options = Options(new GlobalMagnitude(), Probed[nameof(PlainCnn)].Map) with { Sparsity = 0.5, Macs = Probed[nameof(UNet)].Macs };

        Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));
    }

    [Fact]
    public void Allocate_InRelation_DoesNotDependOnTheScaleOfAGroup()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var (map, macs) = Probed[nameof(PlainCnn)];
        long[] Targets()
        {
            using var pruner = new PdpPruner(model, Options(new MacBudget(0.5, map, macs), map));
            return [.. pruner.Plan().Layers.Select(layer => layer.Removed)];
        }

        var before = Targets();
        using (no_grad())
        {
            // By magnitudes as they are, all of the first group would go before any other.
            using TorchSharp.Scalar scale = 0.01;
            model.parameters().First().mul_(scale);
        }

        Assert.Equal(before, Targets());
        Assert.True(before.Count(removed => removed > 0) >= 2);
    }

    [Fact]
    public void Allocate_Aligned_KeepsMultiplesOnly()
    {
        using var scope = NewDisposeScope();
        var contest = Contest.Of(nameof(VggLike), 1, isCoarse: false, 0.5);
        AllocationLayer[] layers = [.. contest.Layers(minimum: 0).Select(layer => layer with { RoundTo = 4, Maximum = layer.Layout.Elements - 1 })];
        var errors = new List<double>();
        foreach (var fraction in (double[])[0.2, 0.35, 0.5, 0.65])
        {
            var budget = new MacBudget(fraction, contest.Budget.Channels, contest.Budget.Macs);

            var counts = budget.Allocate(layers, (long)Math.Round(budget.FixedSparsity(layers)!.Value * layers.Sum(layer => layer.Layout.Elements)));

            long[] channels = [.. counts.Zip(contest.Groups, (count, group) => count / group.Width)];
            Assert.All(channels.Zip(layers), pair => Assert.Equal(0, (pair.Second.Layout.Shape[0] - pair.First) % 4));
            errors.Add(Math.Abs(fraction - (contest.RemovedBy(channels) / (double)budget.Macs.Total)));
        }

        Assert.InRange(errors.Average(), 0, 0.05);
    }

    [Fact]
    public void State_OfAPrunerWithABudget_SaysTheFractionAndTheMacs()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var (map, macs) = Probed[nameof(PlainCnn)];
        using var pruner = new PdpPruner(model, Options(new MacBudget(0.25, map, macs), map));

        var words = pruner.GetState().Settings["Allocation"];

        Assert.Equal(FormattableString.Invariant($"MacBudget of 0.25 of {macs.Total} MACs"), words);
    }

    private static PdpOptions Options(ISparsityAllocation allocation, ChannelMap map) => new()
    {
        Epochs = 1,
        Strategy = new PerChannel(),
        Channels = map,
        Allocation = allocation,
        Schedule = new OneShot { Epoch = 0 },
    };

    private static (ChannelMap Map, MacCount Macs) Probe(string name)
    {
        using var model = Zoo.Get(name).Make();
        using var example = Zoo.Get(name).Batch(size: 1);
        return (ChannelMap.Find(model, example), MacCount.Of(model, example));
    }

    /// <summary>The channels of a group whose first filters are not zero.</summary>
    private static IReadOnlyList<long> Loud(nn.Module model, ChannelGroup group)
    {
        using var scope = NewDisposeScope();
        var slice = group.Of(ChannelRole.Filter).First();
        var weight = model.get_parameter(slice.Name)!.detach().movedim([slice.Dimension], [0]);
        var sums = weight.abs().reshape(group.Channels, -1).sum(1).Values();
        return [.. sums.Index().Where(sum => sum.Item > 0).Select(sum => (long)sum.Index)];
    }

    /// <summary>A network's groups with magnitudes and bounds, and a fraction that they can meet.</summary>
    private sealed record Contest(string Name, Contest.Group[] Groups, double Fraction)
    {
        public MacBudget Budget => new(Fraction, Probed[Name].Map, Probed[Name].Macs) { IsRelative = false };

        public double Asked => Fraction * Probed[Name].Macs.Total;

        /// <summary>The smallest fraction that the bounds allow.</summary>
        public double Least => RemovedBy([.. Groups.Select(group => group.Minimum)]) / (double)Probed[Name].Macs.Total;

        public static Contest Of(string name, int seed, bool isCoarse, double share)
        {
            var random = new Random(seed);
            var contest = new Contest(name, [.. Probed[name].Map.Groups.Select(group => GroupOf(group, random, isCoarse))], 0);
            var most = contest.RemovedBy([.. contest.Groups.Select(group => group.Maximum)]) / (double)Probed[name].Macs.Total;
            return contest with { Fraction = contest.Least + (share * (most - contest.Least)) };
        }

        public long RemovedBy(long[] channels) =>
            Probed[Name].Macs.Total - Probed[Name].Macs.After(Probed[Name].Map.Groups.Zip(channels, (group, removed) => new ChannelCut(group, removed))).Total;

        /// <summary>The channels that the allocation takes of each group.</summary>
        public long[] Allocate()
        {
            using var scope = NewDisposeScope();
            var layers = Layers();
            var total = (long)Math.Round(Budget.FixedSparsity(layers)!.Value * layers.Sum(layer => layer.Layout.Elements));
            var counts = Budget.Allocate(layers, total);

            Assert.Equal(total, counts.Sum());
            Assert.All(counts.Zip(layers), pair => Assert.InRange(pair.First, pair.Second.Minimum, pair.Second.Maximum));
            Assert.All(counts.Zip(Groups), pair => Assert.Equal(0, pair.First % pair.Second.Width));
            return [.. counts.Zip(Groups, (count, group) => count / group.Width)];
        }

        /// <summary>The groups as an allocation sees them, in the caller's scope.</summary>
        public AllocationLayer[] Layers(long? minimum = null) =>
        [
            .. Groups.Zip(Probed[Name].Map.Groups, (group, channels) => new AllocationLayer
            {
                Name = channels.Name,
                Layout = new WeightLayout([channels.Channels, group.Width]),
                Weight = Tensors.Of(group.Magnitudes, [channels.Channels, 1]).expand(channels.Channels, group.Width),
                Minimum = (minimum ?? group.Minimum) * group.Width,
                Maximum = group.Maximum * group.Width,
            }),
        ];

        /// <summary>What goes after each step: the smallest channel that may go, one after the other, the first group's among equals.</summary>
        public IEnumerable<long[]> AllCuts()
        {
            var sorted = Groups.Select(group => group.Magnitudes.Order().ToArray()).ToArray();
            long[] channels = [.. Groups.Select(group => group.Minimum)];
            yield return [.. channels];
            while (Enumerable.Range(0, channels.Length).Where(i => channels[i] < Groups[i].Maximum).ToArray() is { Length: > 0 } open)
            {
                channels[open.MinBy(i => sorted[i][channels[i]])]++;
                yield return [.. channels];
            }
        }

        private static Group GroupOf(ChannelGroup group, Random random, bool isCoarse)
        {
            double[] magnitudes = [.. Enumerable.Range(0, (int)group.Channels).Select(_ => isCoarse ? random.Next(4) : random.NextDouble())];
            var minimum = random.Next(0, (int)group.Channels / 3);
            return new(magnitudes, random.Next(1, 30), minimum, random.Next(minimum + 1, (int)group.Channels));
        }

        internal sealed record Group(double[] Magnitudes, long Width, long Minimum, long Maximum);
    }
}
