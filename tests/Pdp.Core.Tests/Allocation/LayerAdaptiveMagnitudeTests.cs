using Pdp.Allocation;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

public sealed class LayerAdaptiveMagnitudeTests
{
    /// <summary>The ranking alone.</summary>
    private static readonly LayerAdaptiveMagnitude Allocation = new() { DensityFloor = 0 };

    [Theory]
    [InlineData(10, 0.95, "unstructured", true)]
    [InlineData(90, 0.98, "unstructured", true)]
    [InlineData(9.9, 0.98, "unstructured", false)]
    [InlineData(90, 0.949, "unstructured", false)]
    [InlineData(90, 0.98, "taylor", false)]
    [InlineData(90, 0.98, "4x1", false)]
    [InlineData(90, 0.98, "channel", false)]
    public void Default_IsThisInLongRunsToAHighSparsity(double epochs, double sparsity, string kind, bool isThis)
    {
        var options = new PdpOptions
        {
            Epochs = epochs,
            Sparsity = sparsity,
            Strategy = kind switch { "channel" => new PerChannel(), "4x1" => new Block(4, 1), _ => new Unstructured() },
            Importance = kind == "taylor" ? new Taylor() : null,
        };
        using var model = nn.Sequential(("first", nn.Linear(16, 200)), ("second", nn.Linear(200, 200)));

        Assert.Null(options.Allocation);
        Assert.Equal(isThis ? new LayerAdaptiveMagnitude() : new GlobalMagnitude(), InForce(options));
        Assert.Equal(new GlobalMagnitude(), InForce(options with { Allocation = new GlobalMagnitude() }));
        Assert.Equal(Allocation, InForce(options with { Allocation = Allocation }));

        ISparsityAllocation InForce(PdpOptions chosen)
        {
            using var pruner = new PdpPruner(model, chosen);
            return pruner.Allocation;
        }
    }

    /// <summary>The large layer has an outlier, beside which nothing else of it would stay.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.2, 20)]
    [InlineData(1, 100)]
    public void Allocate_ToALayerWithAnOutlier_KeepsTheFloor(double floor, int kept)
    {
        var outlier = Tensors.Normal(1, 1000);
        outlier[3] = 1e6;
        var budget = Budget.Of(1800, outlier, Tensors.Normal(2, 1000));

        Assert.Equal(1000 - kept, budget.Allocate(new LayerAdaptiveMagnitude { DensityFloor = floor })[0]);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void DensityFloor_OutsideOfItsRange_IsRefused(double floor) =>
        Assert.Throws<ArgumentOutOfRangeException>("DensityFloor", () => new LayerAdaptiveMagnitude { DensityFloor = floor });

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
    public void Allocate_WithTiesAndZeros_IsTheSameInAllNarrowTypes() => Law.Holds(Budget.Tied, budget =>
    {
        long[] In(ScalarType type) =>
            (budget with { Layers = [.. budget.Layers.Select(layer => layer with { Type = type })] }).Allocate(Allocation);

        var counts = In(ScalarType.Float32);

        Assert.Equal(counts, In(ScalarType.BFloat16));
        Assert.Equal(counts, In(ScalarType.Float16));
    }, count: 60);

    /// <summary>Float32 and narrower weights are sorted by their bits, others by tensor operations, in the same arithmetic.</summary>
    [Theory]
    [InlineData(1, ScalarType.Float32)]
    [InlineData(2, ScalarType.Float32)]
    [InlineData(100_000, ScalarType.Float32)]
    [InlineData(10_000, ScalarType.BFloat16)]
    [InlineData(10_000, ScalarType.Float16)]
    public void Scores_OfKeys_AreThoseOfTensorOperations(long count, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var weight = randn([2, count], generator: generator).mul(rand([2, count], generator: generator).round()).to_type(type).t();

        var (expected, _) = LayerAdaptiveScores.OfTensor(weight).sort();
        var scores = LayerAdaptiveScores.Of(weight);

        Assert.Equal(ScalarType.Float32, scores.dtype);
        Assert.Equal(expected.Values(), scores.Values());
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

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Allocate_LeavesNoTensorBehind(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var budget = new Budget([new([1, 2, 3, 4], [4], 0, 3, type), new([5, 6, 7], [3], 0, 2, type)], 3);
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
