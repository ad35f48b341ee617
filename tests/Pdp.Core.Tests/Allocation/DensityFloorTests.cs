using CsCheck;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Allocation;

/// <summary>The least density of a layer under one ranking of all magnitudes.</summary>
public sealed class DensityFloorTests
{
    private static readonly GlobalMagnitude Ranking = new() { DensityFloor = 0 };

    [Fact]
    public void Default_IsAFifthOfTheAverage() => Assert.Equal(0.2, new GlobalMagnitude().DensityFloor);

    /// <summary>Forty weights keep eight, so that a layer of ten keeps one at least, and two at a floor of one.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.4, 1)]
    [InlineData(0.5, 1)]
    [InlineData(0.51, 2)]
    [InlineData(1, 2)]
    public void Allocate_ToALayerOfSmallMagnitudes_KeepsTheShareInWholeWeights(double floor, int kept)
    {
        var budget = Budget.Of(32, Tensors.Normal(1, 30), Tensors.Normal(2, 10, scale: 1e-3));

        var counts = budget.Allocate(new GlobalMagnitude { DensityFloor = floor });

        Assert.Equal([32 - (10 - kept), 10 - kept], counts);
    }

    /// <summary>0.2 · 0.1 is above 0.02 in binary, which must not cost a weight.</summary>
    [Theory]
    [InlineData(3600, 20)]
    [InlineData(3800, 10)]
    [InlineData(3200, 40)]
    public void Allocate_WhereTheShareIsAWholeNumber_KeepsExactlyThat(long remove, int kept)
    {
        var budget = Budget.Of(remove, Tensors.Normal(1, 3000), Tensors.Normal(2, 1000, scale: 1e-4));

        Assert.Equal(1000 - kept, budget.Allocate(new GlobalMagnitude())[1]);
    }

    /// <summary>
    /// Of 20 layers with 10 weights, 101 have to go, but at a floor of one each may lose five. So each may lose a sixth, and as 120 are
    /// more than needed, the layers of the largest magnitudes keep what is over.
    /// </summary>
    [Fact]
    public void Allocate_AtAFloorOfOneThatDoesNotDivide_LetsEachLoseOneMoreInTheOrderOfTheRanking()
    {
        var budget = Budget.Of(101, [.. Enumerable.Range(0, 20).Select(i => Tensors.Normal(i + 1, 10, scale: Math.Pow(2, -i)))]);

        long[] expected = [1, 1, 1, 2, .. Enumerable.Repeat(6L, 16)];
        Assert.Equal(expected, budget.Allocate(new GlobalMagnitude { DensityFloor = 1 }));
    }

    [Fact]
    public void Allocate_AtAFloorOfOne_IsUniform()
    {
        var budget = Budget.Of(60, Tensors.Normal(1, 40), Tensors.Normal(2, 20, scale: 1e-3), Tensors.Normal(3, 20, scale: 10));

        Assert.Equal([30, 15, 15], budget.Allocate(new GlobalMagnitude { DensityFloor = 1 }));
    }

    /// <summary>The floor is nothing but a bound: where it can be met, the counts are those of the ranking under lower maxima.</summary>
    [Fact]
    public void Allocate_WhereTheFloorCanBeMet_IsTheRankingUnderLowerMaxima()
    {
        var met = 0;
        Law.Holds(Gen.Select(Budget.Bounded, Gen.Double.Unit), pair =>
        {
            var (budget, floor) = pair;
            var lowered = budget with { Layers = [.. budget.Layers.Select(layer => Lowered(layer, floor * DensityOf(budget)))] };

            var counts = budget.Allocate(new GlobalMagnitude { DensityFloor = floor });

            if (lowered.Layers.Sum(layer => layer.Maximum) < budget.Remove)
                return;
            Interlocked.Increment(ref met);
            Assert.Equal(lowered.Allocate(Ranking), counts);
        }, count: 80);
        Assert.True(met > 20, $"the floor could be met in {met} cases");
    }

    /// <summary>The first layer may lose two, so that the second has to lose nine of its ten, whatever the floor is.</summary>
    [Fact]
    public void Allocate_WhereMaximaLeaveNoChoice_LetsTheFloorGiveWayAsFarAsNeeded()
    {
        var (bounded, open) = (Tensors.Normal(1, 10), Tensors.Normal(2, 10));
        var budget = Budget.Of(11, bounded, open);
        budget = budget with { Layers = [budget.Layers[0] with { Maximum = 2 }, budget.Layers[1]] };

        Assert.Equal([2, 9], budget.Allocate(new GlobalMagnitude { DensityFloor = 0.9 }));
    }

    /// <summary>Two layers have to lose more than the floor lets them: both give way, not only the one of small magnitudes.</summary>
    [Fact]
    public void Allocate_WhereTheFloorGivesWay_KeepsTheLargestThatIsPossible()
    {
        var budget = Budget.Of(90, Tensors.Normal(1, 100), Tensors.Normal(2, 50), Tensors.Normal(3, 50, scale: 1e-3));
        budget = budget with { Layers = [budget.Layers[0] with { Maximum = 10 }, .. budget.Layers.Skip(1)] };

        // All keep 55 % on average; the open layers, which lose 80 of 100, can keep 20 % each, a floor of 0.36.
        Assert.Equal([10, 40, 40], budget.Allocate(new GlobalMagnitude { DensityFloor = 1 }));
    }

    [Fact]
    public void Allocate_ToALayerThatHasToLoseMore_FollowsItsMinimum()
    {
        var budget = Budget.Of(10, Tensors.Normal(1, 10), Tensors.Normal(2, 10));
        budget = budget with { Layers = [budget.Layers[0], budget.Layers[1] with { Minimum = 9 }] };

        Assert.Equal([1, 9], budget.Allocate(new GlobalMagnitude { DensityFloor = 0.8 }));
    }

    public static TheoryData<IMaskStrategy, long> Strategies => new()
    {
        { new Unstructured(), 1 },
        { new Block(1, 4), 4 },
        { new PerChannel(), 48 },
        { new PerChannel { RoundTo = 2 }, 2 * 48 },
    };

    /// <summary>A layer of a thousandth of the other's magnitudes keeps 6 % at 70 %, give or take what can't be divided.</summary>
    [Theory]
    [MemberData(nameof(Strategies))]
    public void Plan_OfBlocksOrChannels_KeepsTheShareUpToRounding(IMaskStrategy strategy, long unit)
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(("small", Linear(48, 64, hasBias: false)), ("large", Linear(48, 4000, hasBias: false)));
        Tensors.Fill(model.parameters().First(), Tensors.Normal(1, 64 * 48, scale: 1e-3));
        Tensors.Fill(model.parameters().Last(), Tensors.Normal(2, 4000 * 48));
        var options = new PdpOptions { Epochs = 8, Sparsity = 0.7, Strategy = strategy };
        using var pruner = new PdpPruner(model, options);
        using var unbounded = new PdpPruner(model, options with { Allocation = Ranking });

        var small = pruner.Plan().Layers[0];

        Assert.InRange(small.Elements - small.Removed, (0.06 * small.Elements) - (unit / 2.0), (0.06 * small.Elements) + unit);
        Assert.InRange(small.Elements - unbounded.Plan().Layers[0].Removed, 1, unit);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void DensityFloor_OutsideOfItsRange_IsRefused(double floor)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new GlobalMagnitude { DensityFloor = floor });

        Assert.Contains("[0, 1]", error.Message, StringComparison.Ordinal);
        Assert.Equal((nameof(GlobalMagnitude.DensityFloor), floor), (error.ParamName, error.ActualValue));
    }

    private static double DensityOf(Budget budget) => (budget.Elements - budget.Remove) / (double)budget.Elements;

    private static Budget.Layer Lowered(Budget.Layer layer, double density)
    {
        var most = layer.Weights.Length - (long)Math.Ceiling((density * layer.Weights.Length) - 1e-9);
        return layer with { Maximum = Math.Clamp(most, layer.Minimum, layer.Maximum) };
    }
}
