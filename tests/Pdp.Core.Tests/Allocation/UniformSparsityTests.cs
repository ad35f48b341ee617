using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

public sealed class UniformSparsityTests
{
    private static readonly UniformSparsity Allocation = new();

    [Fact]
    public void Allocate_WithinAnyBounds_MeetsTheTotal() => Law.Holds(Budget.Bounded, budget =>
    {
        var counts = budget.Allocate(Allocation);

        Assert.Equal(budget.Layers.Length, counts.Length);
    }, count: 200);

    [Theory]
    [InlineData(500)]
    [InlineData(777)]
    [InlineData(1)]
    [InlineData(950)]
    public void Allocate_WithoutBounds_IsWithinOneWeightOfTheSameSparsityEverywhere(long remove)
    {
        var budget = Budget.Of(remove, [.. new[] { 13, 287, 53, 647 }.Select((count, i) => Tensors.Normal(i, count))]);

        var counts = budget.Allocate(Allocation);

        Assert.All(counts.Zip(budget.Layers), pair => Assert.InRange(pair.First - (remove * pair.Second.Weights.Length / 1000.0), -1, 1));
    }

    [Theory]
    [InlineData(0, new long[] { 0, 0, 0, 0 })]
    [InlineData(996, new long[] { 12, 286, 52, 646 })]
    public void Allocate_OfNothingOrOfAllThatMayGo_IsExact(long remove, long[] expected)
    {
        var budget = Budget.Of(remove, [.. new[] { 13, 287, 53, 647 }.Select((count, i) => Tensors.Normal(i, count))]);

        var counts = budget.Allocate(Allocation);

        Assert.Equal(expected, counts);
    }

    [Fact]
    public void Allocate_WhereABoundBinds_SpreadsTheRestEvenly()
    {
        var layers = new[] { (100, 0, 10), (100, 0, 99), (200, 0, 199) };
        var budget = new Budget([.. layers.Select((layer, i) =>
            new Budget.Layer(Tensors.Normal(i, layer.Item1), [layer.Item1], layer.Item2, layer.Item3, ScalarType.Float32))], 190);

        var counts = budget.Allocate(Allocation);

        Assert.Equal([10, 60, 120], counts);
    }

    [Fact]
    public void Allocate_ToPermutedLayers_IsPermuted()
    {
        var budget = Budget.Of(431, [.. new[] { 13, 287, 53, 647 }.Select((count, i) => Tensors.Normal(i, count))]);
        var reversed = new Budget([.. budget.Layers.Reverse()], budget.Remove);

        var (there, back) = (budget.Allocate(Allocation), reversed.Allocate(Allocation));

        Assert.Equal(there.Reverse(), back);
    }

    [Fact]
    public void Allocate_ToEqualLayers_GivesTheEarlierOnesTheRest()
    {
        var budget = Budget.Of(11, [.. Enumerable.Range(0, 4).Select(i => Tensors.Normal(i, 5))]);

        var counts = budget.Allocate(Allocation);

        Assert.Equal([3, 3, 3, 2], counts);
    }
}
