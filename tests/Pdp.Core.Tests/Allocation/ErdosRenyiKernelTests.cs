using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

public sealed class ErdosRenyiKernelTests
{
    private static readonly ErdosRenyiKernel Allocation = new();

    private static readonly long[][] Shapes = [[16, 3, 3, 3], [16, 16, 3, 3], [32, 16, 3, 3], [10, 32]];

    [Fact]
    public void Allocate_WithinAnyBounds_MeetsTheTotal() => Law.Holds(Budget.Bounded, budget =>
    {
        var counts = budget.Allocate(Allocation);

        Assert.Equal(budget.Layers.Length, counts.Length);
    }, count: 200);

    [Fact]
    public void Allocate_AtHighSparsity_KeepsInProportionToTheSumOfTheDimensions()
    {
        var budget = Of(0.9);

        var counts = budget.Allocate(Allocation);

        var scales = counts.Zip(Shapes, (count, shape) => (Tensors.Count(shape) - count) / (double)shape.Sum()).ToArray();
        var scale = scales.Average();
        Assert.All(scales.Zip(Shapes), pair => Assert.InRange((pair.First - scale) * pair.Second.Sum(), -2, 2));
        Assert.True(counts[0] / 432.0 < counts[2] / 4608.0, "the small layer stays denser");
    }

    [Fact]
    public void Allocate_WhereALayerWouldKeepMoreThanItHas_LeavesItDenseAndTheOthersInProportion()
    {
        var budget = Of(0.5);

        var counts = budget.Allocate(Allocation);

        // The others' dimensions add up to 16 + 16 + 3 + 3 and 32 + 16 + 3 + 3.
        Assert.Equal((0, 0), (counts[0], counts[3]));
        var (second, third) = ((2304 - counts[1]) / 38.0, (4608 - counts[2]) / 54.0);
        Assert.InRange(second - third, -2 / 38.0, 2 / 38.0);
    }

    [Fact]
    public void Allocate_IgnoresTheMagnitudes()
    {
        var budget = Of(0.8);
        var scaled = new Budget(
            [.. budget.Layers.Select((layer, i) => layer with { Weights = [.. layer.Weights.Select(weight => weight * (i + 1))] })],
            budget.Remove);

        var (counts, same) = (budget.Allocate(Allocation), scaled.Allocate(Allocation));

        Assert.Equal(counts, same);
    }

    [Fact]
    public void Allocate_ToPermutedLayers_IsPermuted()
    {
        var budget = Of(0.87);
        var reversed = new Budget([.. budget.Layers.Reverse()], budget.Remove);

        var (there, back) = (budget.Allocate(Allocation), reversed.Allocate(Allocation));

        Assert.Equal(there.Reverse(), back);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7660)]
    public void Allocate_OfNothingOrOfAllThatMayGo_IsExact(long remove)
    {
        var budget = Of(0.5) with { Remove = remove };

        var counts = budget.Allocate(Allocation);

        Assert.Equal(Shapes.Select(shape => remove == 0 ? 0 : Tensors.Count(shape) - 1), counts);
    }

    private static Budget Of(double sparsity)
    {
        var layers = Shapes.Select((shape, i) =>
            new Budget.Layer(Tensors.Normal(i, Tensors.Count(shape)), shape, 0, Tensors.Count(shape) - 1, ScalarType.Float32)).ToArray();
        return new(layers, (long)Math.Round(sparsity * layers.Sum(layer => layer.Weights.Length)));
    }
}
