using Pdp.Allocation;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

public sealed class LayerAdaptiveMagnitudeTests
{
    private static readonly LayerAdaptiveMagnitude Allocation = new();

    [Theory]
    [InlineData(10, 0.95, "unstructured", true)]
    [InlineData(90, 0.98, "unstructured", true)]
    [InlineData(9.9, 0.98, "unstructured", false)]
    [InlineData(90, 0.949, "unstructured", false)]
    [InlineData(90, 0.98, "4x1", false)]
    [InlineData(90, 0.98, "channel", false)]
    public void Default_IsThisInLongRunsToAHighSparsity(double epochs, double sparsity, string strategy, bool isThis)
    {
        IMaskStrategy kind =
            strategy == "channel" ? new PerChannel() : strategy == "unstructured" ? new Unstructured() : Block.Parse(strategy);
        var options = new PdpOptions { Epochs = epochs, Sparsity = sparsity, Strategy = kind };

        Assert.Null(options.Allocation);
        Assert.Equal(isThis ? Allocation : new GlobalMagnitude(), options.EffectiveAllocation);
        Assert.Equal(new GlobalMagnitude(), (options with { Allocation = new GlobalMagnitude() }).EffectiveAllocation);
        Assert.Equal(Allocation, (options with { Allocation = Allocation }).EffectiveAllocation);
    }

    /// <summary>The scores are 1/14, 4/13, 1 and 1/101, 1.</summary>
    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(2, 1, 1)]
    [InlineData(3, 2, 1)]
    public void Allocate_OfAnExample_TakesTheSmallestShares(long remove, long first, long second) =>
        Assert.Equal([first, second], Budget.Of(remove, [-3, 1, 2], [10, -1]).Allocate(Allocation));

    [Fact]
    public void Allocate_IsOneRankingOfTheScores() => Law.Holds(Budget.Bounded, budget =>
    {
        var scores = budget.Magnitudes().Select(ScoresOf);
        var ranked = budget with
        {
            Layers = [.. budget.Layers.Zip(scores, (layer, values) => layer with { Weights = values, Type = ScalarType.Float64 })],
        };

        Assert.Equal(ranked.Allocate(new GlobalMagnitude { DensityFloor = 0 }), budget.Allocate(Allocation));
    }, count: 60);

    [Fact]
    public void Allocate_OfLayersThatAreScaled_IsTheSame() => Law.Holds(Budget.Bounded, budget =>
    {
        Budget ScaledBy(double factor) => budget with
        {
            Layers =
            [
                .. budget.Layers.Select((layer, i) => layer with
                {
                    Weights = [.. layer.Weights.Select(weight => weight * Math.Pow(factor, i))], Type = ScalarType.Float64
                }),
            ],
        };

        Assert.Equal(ScaledBy(1).Allocate(Allocation), ScaledBy(1024).Allocate(Allocation));
    }, count: 30);

    [Fact]
    public void Allocate_WithTiesZerosAndNarrowTypes_KeepsItsContract() => Law.Holds(Budget.Tied, budget =>
    {
        var counts = budget.Allocate(Allocation);

        Assert.Equal(counts, budget.Allocate(Allocation));
    }, count: 60);

    /// <summary>Weights of the CPU are sorted by their bits, others by tensor operations, in the same arithmetic.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(100_000)]
    public void Scores_OfKeys_AreThoseOfTensorOperations(long count)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var weight = randn([count], generator: generator).mul(rand([count], generator: generator).round());

        var (expected, _) = LayerAdaptiveScores.OfTensor(weight).sort();

        Assert.Equal(expected.Values(), LayerAdaptiveScores.Of(weight).Values());
    }

    /// <summary>Weights whose squares are out of every type's range.</summary>
    [Theory]
    [InlineData(1e-200)]
    [InlineData(1e200)]
    public void Allocate_OfExtremeNumbers_IsThatOfOrdinaryOnes(double scale)
    {
        double[] weights = [5, -1, 4, 2, 3];
        var layer = new Budget.Layer([.. weights.Select(weight => weight * scale)], [5], 0, 4, ScalarType.Float64);

        var counts = new Budget([layer, layer with { Weights = [1, 1.5, 2], Shape = [3], Maximum = 2 }], 4).Allocate(Allocation);

        Assert.Equal(Budget.Of(4, weights, [1, 1.5, 2]).Allocate(Allocation), counts);
    }

    [Fact]
    public void Allocate_OfALayerOfZeros_TakesThemFirst() =>
        Assert.Equal([3, 0], Budget.Of(3, [0, 0, 0, 0], [1, 2, 3]).Allocate(Allocation));

    /// <summary>A ranking of magnitudes keeps a single weight of the small layer, at any sparsity above a third.</summary>
    [Fact]
    public void Allocate_ToALayerOfSmallMagnitudes_KeepsAsMuchAsOfAnother()
    {
        var budget = Budget.Of(1800, Tensors.Normal(1, 1000), Tensors.Normal(1, 1000, scale: 1e-3));

        Assert.Equal([900, 900], budget.Allocate(Allocation));
    }

    [Fact]
    public void Allocate_LeavesNoTensorBehind()
    {
        using var scope = NewDisposeScope();
        var budget = Budget.Of(3, [1, 2, 3, 4], [5, 6, 7]);
        var layers = budget.Candidates();
        Leaks.ForgetGarbage();
        var before = Tensor.TotalCount;

        Allocation.Allocate(layers, budget.Remove);

        Assert.Equal(before, Tensor.TotalCount);
    }

    /// <summary>The equation, weight by weight.</summary>
    private static double[] ScoresOf(double[] magnitudes) =>
        [.. magnitudes.Select((w, i) => w * w / magnitudes.Where((v, j) => v > w || (v == w && j >= i)).Sum(v => v * v))];
}
