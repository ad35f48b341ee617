using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Allocation;

/// <summary>One order of all magnitudes: a layer loses what lies below the global cut. The paper's choice.</summary>
/// <remarks>
/// With bounds the cut is the one at which the counts, each held within its layer's bounds, add up to the total. Ties at the cut go in the order
/// of the layers. The cut is found by bisection over the bit patterns of non-negative numbers, so it is exact and needs no sort.
/// </remarks>
public sealed record GlobalMagnitude : ISparsityAllocation
{
    /// <inheritdoc/>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

    /// <inheritdoc/>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        Reach.Require(layers, remove);

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var magnitudes = layers.Select(layer => Precision.Widen(layer.Weight).abs()).ToArray();
        var cut = LargestCut(layers, magnitudes, remove);
        var counts = Below(layers, magnitudes, cut);
        var withTies = Below(layers, magnitudes, double.BitIncrement(cut));
        GiveTies(counts, withTies, remove - counts.Sum());
        return counts;
    }

    /// <summary>The largest cut whose counts do not exceed the total.</summary>
    private static double LargestCut(IReadOnlyList<AllocationLayer> layers, Tensor[] magnitudes, long remove)
    {
        // Non-negative doubles are ordered as their bit patterns are.
        var low = BitConverter.DoubleToInt64Bits(0);
        var high = BitConverter.DoubleToInt64Bits(double.PositiveInfinity);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (Below(layers, magnitudes, BitConverter.Int64BitsToDouble(middle)).Sum() <= remove)
                low = middle;
            else
                high = middle;
        }

        return BitConverter.Int64BitsToDouble(low);
    }

    /// <summary>The weights of each layer below a cut, held within the layer's bounds.</summary>
    private static long[] Below(IReadOnlyList<AllocationLayer> layers, Tensor[] magnitudes, double cut) =>
        [.. layers.Zip(magnitudes, (layer, magnitude) => Math.Clamp(CountBelow(magnitude, cut), layer.Minimum, layer.Maximum))];

    private static long CountBelow(Tensor magnitude, double cut)
    {
        using var scope = NewDisposeScope();
        // A magnitude is below the cut if it is below the cut rounded up to the magnitude's type.
        using Scalar bound = (magnitude.dtype == ScalarType.Float64 ? cut : RoundUp(cut)).ToScalar();
        return magnitude.lt(bound).sum().cpu().ReadCpuInt64(0);
    }

    private static double RoundUp(double value)
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
