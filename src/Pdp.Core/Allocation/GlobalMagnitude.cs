using Pdp.Allocation;
using Pdp.Internal;
using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>
/// Ranks the magnitudes of all layers together: each layer loses the weights below one global cut, but keeps a share of the average
/// density.
/// </summary>
/// <remarks>
/// With bounds the cut is the one at which the counts, each held within its layer's bounds, add up to the total. Ties at the cut are broken
/// in the order of the layers. The cut is found by bisection over the bit patterns of non-negative numbers, so it is exact and needs no
/// sorting.
/// </remarks>
public sealed record GlobalMagnitude : ISparsityAllocation
{
    /// <summary>The least density of a layer, relative to the average density of the layers that are ranked together.</summary>
    /// <remarks>
    /// Density is the fraction kept, 1 − sparsity: by default each layer keeps at least 2 % of its weights at a sparsity of 90 %, and 1 %
    /// at 95 %. Without a floor the ranking may leave next to nothing of a layer, whose threshold then runs away while it trains, or of one
    /// whose weights are small merely by initialization. Channels and blocks keep the share up to rounding to whole ones. A layer's own
    /// minimum sparsity takes precedence. If maximum sparsities make the floor impossible, all layers get the largest one that is possible.
    /// </remarks>
    /// <value>
    /// In [0, 1]; default 0.2. 0 is the paper's ranking alone. At 1 all layers have the same sparsity, up to as many weights as there are
    /// layers; <see cref="UniformSparsity"/> is exact.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside of [0, 1].</exception>
    public double DensityFloor { get; init => field = Guard.Share(value); } = 0.2;

    /// <inheritdoc/>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

    /// <inheritdoc/>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        AllocationRange.Require(layers, remove);

        layers = FlooredLayers.Of(layers, remove, DensityFloor);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var cut = LargestCut(layers, remove);
        var counts = Below(layers, cut);
        var withTies = Below(layers, double.BitIncrement(cut));
        GiveTies(counts, withTies, remove - counts.Sum());
        return counts;
    }

    /// <inheritdoc/>
    public string Describe() => DensityFloor == 0
        ? nameof(GlobalMagnitude)
        : $"{nameof(GlobalMagnitude)} with a density floor of {InvariantText.Of(DensityFloor)}";

    /// <summary>
    /// The largest cut whose counts do not exceed the total: a float32 number if all weights are of that type or a narrower one.
    /// </summary>
    private static double LargestCut(IReadOnlyList<AllocationLayer> layers, long remove) =>
        layers.Any(layer => layer.Weight.dtype == ScalarType.Float64)
            ? BitConverter.Int64BitsToDouble(LargestBits(layers, remove, BitConverter.DoubleToInt64Bits(double.PositiveInfinity),
                BitConverter.Int64BitsToDouble))
            : BitConverter.Int32BitsToSingle((int)LargestBits(layers, remove, BitConverter.SingleToInt32Bits(float.PositiveInfinity),
                bits => BitConverter.Int32BitsToSingle((int)bits)));

    /// <summary>
    /// Finds the largest cut by bisection over bit patterns, which are ordered like the non-negative numbers they encode.
    /// </summary>
    private static long LargestBits(IReadOnlyList<AllocationLayer> layers, long remove, long high, Func<long, double> toNumber)
    {
        var low = 0L;
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (Below(layers, toNumber(middle)).Sum() <= remove)
                low = middle;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>The number of weights of each layer below a cut, held within the layer's bounds.</summary>
    private static long[] Below(IReadOnlyList<AllocationLayer> layers, double cut) =>
        [.. layers.Select(layer => Math.Clamp(CountBelow(layer.Weight, cut), layer.Minimum, layer.Maximum))];

    private static long CountBelow(Tensor weight, double cut)
    {
        // A magnitude is below the cut if it is below the cut rounded up to the magnitude's type.
        var single = RoundUp(cut);
        if (KeyCount.Below(weight, single) is { } count)
            return count;

        using var scope = NewDisposeScope();
        var magnitude = Precision.Widen(weight).abs();
        using Scalar bound = (magnitude.dtype == ScalarType.Float64 ? cut : single).ToScalar();
        return magnitude.lt(bound).sum().cpu().ReadCpuInt64(0);
    }

    private static float RoundUp(double value)
    {
        var single = (float)value;
        return single < value ? MathF.BitIncrement(single) : single;
    }

    private static void GiveTies(long[] counts, long[] withTies, long open)
    {
        for (var i = 0; i < counts.Length && open > 0; i++)
        {
            var given = Math.Min(open, withTies[i] - counts[i]);
            counts[i] += given;
            open -= given;
        }
    }
}
