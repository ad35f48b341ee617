using CsCheck;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

/// <summary>Layers as numbers, with bounds and a total that they can meet; what allocations are tested on.</summary>
internal sealed record Budget(Budget.Layer[] Layers, long Remove)
{
    /// <summary>Normal weights of a few scales and types, bounds that often bind.</summary>
    public static Gen<Budget> Bounded { get; } = Of(LayerOf(WeightsOf(distinct: true), isBounded: true));

    /// <summary>Weights on a coarse grid of both signs: ties within and between layers, zeros; bounds that often bind.</summary>
    public static Gen<Budget> Tied { get; } = Of(LayerOf(WeightsOf(distinct: false), isBounded: true));

    /// <summary>Normal weights, one kept weight a layer as the only bound.</summary>
    public static Gen<Budget> Free { get; } = Of(LayerOf(WeightsOf(distinct: true), isBounded: false));

    public long Elements => Layers.Sum(layer => layer.Weights.Length);

    public static Budget Of(long remove, params double[][] layers) =>
        new([.. layers.Select(weights => new Layer(weights, [weights.Length], 0, weights.Length - 1, ScalarType.Float32))], remove);

    /// <summary>The counts that an allocation gives, checked against its contract.</summary>
    public long[] Allocate(ISparsityAllocation allocation)
    {
        using var scope = NewDisposeScope();
        long[] counts = [.. allocation.Allocate(Candidates(), Remove)];

        Assert.Equal(Remove, counts.Sum());
        Assert.All(counts.Zip(Layers), pair => Assert.InRange(pair.First, pair.Second.Minimum, pair.Second.Maximum));
        return counts;
    }

    /// <summary>The layers as an allocation sees them, in the caller's scope.</summary>
    public AllocationLayer[] Candidates() =>
    [
        .. Layers.Select((layer, i) => new AllocationLayer
        {
            Name = NameOf(i),
            Layout = new WeightLayout(layer.Shape),
            Weight = Tensors.Of(layer.Weights, layer.Shape, layer.Type),
            Minimum = layer.Minimum,
            Maximum = layer.Maximum,
        }),
    ];

    /// <summary>The magnitudes as the layers' types hold them.</summary>
    public double[][] Magnitudes()
    {
        using var scope = NewDisposeScope();
        return [.. Candidates().Select(layer => layer.Weight.Values().Select(Math.Abs).ToArray())];
    }

    public static string NameOf(int layer) => $"layer{layer}";

    private static Gen<double[]> WeightsOf(bool distinct) => distinct
        ? from seed in Gen.Int[0, 1_000_000]
          from count in Gen.Int[1, 40]
          from scale in Gen.OneOf(0.01, 0.1, 1.0)
          select Tensors.Normal(seed, count, scale)
        : Gen.Int[-4, 4].Select(step => step / 4.0).Array[1, 20];

    private static Gen<Layer> LayerOf(Gen<double[]> weights, bool isBounded) =>
        from values in weights
        from least in isBounded ? Gen.Int[0, values.Length - 1] : Gen.Const(0)
        from most in isBounded ? Gen.Int[least, values.Length - 1] : Gen.Const(values.Length - 1)
        from type in Gen.OneOf(ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16, ScalarType.Float16)
        select new Layer(values, [values.Length], least, most, type);

    private static Gen<Budget> Of(Gen<Layer> layer) =>
        from layers in layer.Array[1, 6]
        from share in Gen.Double.Unit
        let least = layers.Sum(each => each.Minimum)
        let most = layers.Sum(each => each.Maximum)
        select new Budget(layers, least + (long)Math.Round(share * (most - least)));

    internal sealed record Layer(double[] Weights, long[] Shape, long Minimum, long Maximum, ScalarType Type);
}
