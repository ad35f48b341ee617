using CsCheck;
using Pdp.Tests.Support;
using static Pdp.Tests.Allocation.MacBudgetCases;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

public sealed class MacBudgetTests
{
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
        Assert.Equal(cuts.Min(cut => Math.Abs(contest.RemovedBy(cut) - contest.Asked)), Math.Abs(
            contest.RemovedBy(channels) - contest.Asked));
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
        contest = contest with
        {
            Groups = [.. contest.Groups.Select(group =>
            group with { Magnitudes = [.. group.Magnitudes.Select(_ => 1.0)], Minimum = 0, Maximum = group.Magnitudes.Length - 1 })]
        };

        var channels = contest.Allocate();

        // Of 114,532 each channel of conv1 saves 13,824, half of it in conv2; behind the seventh each of conv2 saves 896, 320 of
        // it in linear1.
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
        var little = Assert.Throws<ArgumentException>(
            () => (contest with { Fraction = 1e-9 }).Budget.FixedSparsity(contest.Layers(minimum: 1)));

        Assert.Contains($"no more than {most:N0} (", much.Message, StringComparison.Ordinal);
        Assert.Contains("the minimum sparsity of layers already removes", little.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FixedSparsity_WithALayerThatIsNoGroup_NamesIt()
    {
        using var scope = NewDisposeScope();
        var budget = Contest.Of(nameof(PlainCnn), 1, isCoarse: false, 0.5).Budget;

        var unknown = Assert.Throws<ArgumentException>(() => budget.FixedSparsity(
            [new() { Name = "linear2.weight", Layout = new([5, 20]), Weight = ones(5, 20), Minimum = 0, Maximum = 99 }]));
        var unstructured = Assert.Throws<ArgumentException>(() => budget.FixedSparsity(
            [new() { Name = "linear1.weight", Layout = new([20, 192]), Weight = rand(20, 192), Minimum = 0, Maximum = 99 }]));
        var untied = Assert.Throws<ArgumentException>(() => budget.FixedSparsity(
            [new() { Name = "conv1.weight", Layout = new([8, 3, 3, 3]), Weight = ones(8, 3, 3, 3), Minimum = 0, Maximum = 99 }]));

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
    public void Allocate_InRelation_DoesNotDependOnTheScaleOfAGroup()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        var (map, macs) = Probed[nameof(PlainCnn)];
        long[] Targets()
        {
            using var pruner = new PdpPruner(model, OptionsFor(new MacBudget(0.5, map, macs), map));
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
        AllocationLayer[] layers = [.. contest.Layers(minimum: 0).Select(
            layer => layer with { RoundTo = 4, Maximum = layer.Layout.Elements - 1 })];
        var errors = new List<double>();
        foreach (var fraction in (double[])[0.2, 0.35, 0.5, 0.65])
        {
            var budget = new MacBudget(fraction, contest.Budget.Channels, contest.Budget.Macs);

            var counts = budget.Allocate(
                layers, (long)Math.Round(budget.FixedSparsity(layers)!.Value * layers.Sum(layer => layer.Layout.Elements)));

            long[] channels = [.. counts.Zip(contest.Groups, (count, group) => count / group.Width)];
            Assert.All(channels.Zip(layers), pair => Assert.Equal(0, (pair.Second.Layout.Shape[0] - pair.First) % 4));
            errors.Add(Math.Abs(fraction - (contest.RemovedBy(channels) / (double)budget.Macs.Total)));
        }

        Assert.InRange(errors.Average(), 0, 0.05);
    }

    [Fact]
    public void Allocate_InSteps_KeepsTheMinimumOfEachGroup()
    {
        using var scope = NewDisposeScope();
        var contest = Contest.Of(nameof(VggLike), 1, isCoarse: false, 0.5);
        foreach (var roundTo in (int[])[1, 2, 4])
        {
            AllocationLayer[] layers = [.. contest.Layers(minimum: 1).Select(
                layer => layer with { RoundTo = roundTo, Maximum = layer.Layout.Elements - 1 })];
            foreach (var fraction in (double[])[0.55, 0.65, 0.75])
            {
                var budget = new MacBudget(fraction, contest.Budget.Channels, contest.Budget.Macs);

                var counts = budget.Allocate(
                    layers, (long)Math.Round(budget.FixedSparsity(layers)!.Value * layers.Sum(layer => layer.Layout.Elements)));

                Assert.All(counts.Zip(layers), pair => Assert.InRange(pair.First, pair.Second.Minimum, pair.Second.Maximum));
            }
        }
    }
}
