using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

public sealed class GlobalMagnitudeTests
{
    /// <summary>The ranking alone.</summary>
    private static readonly GlobalMagnitude Allocation = new() { DensityFloor = 0 };

    [Fact]
    public void Allocate_WithoutBounds_IsTheShareBelowTheCutOfAFullSort() => Law.Holds(Budget.Free, budget =>
    {
        var counts = budget.Allocate(Allocation);

        Assert.Equal(Filled(budget), counts);
    }, count: 30);

    [Fact]
    public void Allocate_WithBoundsThatBind_FillsUpLikeWater() => Law.Holds(Budget.Bounded, budget =>
    {
        var counts = budget.Allocate(Allocation);

        Assert.Equal(Filled(budget), counts);
    }, count: 60);

    [Fact]
    public void Allocate_WithTiesAndZeros_GivesTheOpenOnesInTheOrderOfTheLayers() => Law.Holds(Budget.Tied, budget =>
    {
        var counts = budget.Allocate(Allocation);

        Assert.Equal(Filled(budget), counts);
    }, count: 60);

    [Fact]
    public void Allocate_ToPermutedLayers_IsPermuted() => Law.Holds(Budget.Bounded, budget =>
    {
        Budget.Layer[] distinct = [.. budget.Layers.Select(layer => layer with { Type = ScalarType.Float64 })];

        var there = new Budget(distinct, budget.Remove).Allocate(Allocation);
        var back = new Budget([.. distinct.Reverse()], budget.Remove).Allocate(Allocation);

        Assert.Equal(there.Reverse(), back);
    }, count: 20);

    [Fact]
    public void Allocate_BetweenALargeAndASmallLayer_TakesTheSmallMagnitudesFirst()
    {
        var budget = Budget.Of(4, [10, 9, 8, 7], [.4, -.3, .2, -.1, .05]);

        var counts = budget.Allocate(Allocation);

        Assert.Equal([0, 4], counts);
    }

    [Fact]
    public void Allocate_PastTheLastWeightOfALayer_LeavesItOne()
    {
        var budget = Budget.Of(5, [10, 9, 8, 7], [.4, .3, .2, .1]);

        var counts = budget.Allocate(Allocation);

        Assert.Equal([2, 3], counts);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    public void Allocate_OfNothingOrOfAllThatMayGo_IsExact(long remove)
    {
        var budget = Budget.Of(remove, [1, 2, 3, 4], [0, 0, 0, 0]);

        var counts = budget.Allocate(Allocation);

        Assert.Equal(remove == 0 ? [0, 0] : [3, 3], counts);
    }

    [Fact]
    public void Allocate_WithMagnitudesOneBitApart_TellsThemApart()
    {
        var (small, large) = (1.0, (double)MathF.BitIncrement(1));
        var budget = Budget.Of(3, [large, large, large, large], [small, large, small, small]);

        var counts = budget.Allocate(Allocation);

        Assert.Equal([0, 3], counts);
    }

    [Fact]
    public void Allocate_AcrossTypes_ComparesTheValuesThatTheyHold()
    {
        // 0.1 is 0.1000000015 in float32 and 0.10009766 in bfloat16.
        var weights = new[] { 0.1, 0.1, 0.1 };
        var types = new[] { ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float64 };
        var budget = new Budget([.. types.Select(type => new Budget.Layer(weights, [3], 0, 2, type))], 4);

        var counts = budget.Allocate(Allocation);

        Assert.Equal([2, 0, 2], counts);
    }

    [Fact]
    public void Allocate_LeavesNoTensorBehind()
    {
        using var weight = Tensors.Of(Tensors.Normal(1, 50), [5, 10], ScalarType.Float64);
        AllocationLayer[] layers = [
            new() { Name = "a", Layout = new([5, 10]), Weight = weight, Minimum = 0, Maximum = 49 },
            new() { Name = "b", Layout = new([5, 10]), Weight = weight, Minimum = 3, Maximum = 20 },
        ];

        Leaks.None(() => Allocation.Allocate(layers, 40));
    }

    /// <summary>Removes the smallest weight that may go, one after the other, the first layer's among equals.</summary>
    private static long[] Filled(Budget budget)
    {
        var sorted = budget.Magnitudes().Select(magnitudes => magnitudes.Order().ToArray()).ToArray();
        long[] counts = [.. budget.Layers.Select(layer => layer.Minimum)];
        while (counts.Sum() < budget.Remove)
        {
            var open = Enumerable.Range(0, counts.Length).Where(i => counts[i] < budget.Layers[i].Maximum);
            counts[open.MinBy(i => sorted[i][counts[i]])]++;
        }

        return counts;
    }
}
