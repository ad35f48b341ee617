using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>Order statistics of competitors, <c>[groups, members]</c>, by tensor operations that don't wait for a device.</summary>
/// <remarks>
/// Ranks count from 1. Magnitudes of one group, or of short ones, in the CPU's memory are found by kernels, which are many times faster. On a GPU
/// <c>kthvalue</c> is one block of threads a group, a thousand times too few for a whole layer; a sort takes all of them. Works in the caller's dispose scope.
/// </remarks>
internal static class Ranks
{
    /// <summary>The magnitude of a rank, <c>[groups, 1]</c>.</summary>
    public static Tensor At(Tensor magnitude, long rank) =>
        magnitude.device_type != DeviceType.CPU ? Sorted(magnitude, rank).Lower
            : rank < magnitude.shape[1] && Found(magnitude, rank) is { } found ? found.Lower
            : Selected(magnitude, rank);

    /// <summary>The magnitudes of a rank and of the next, each <c>[groups, 1]</c>.</summary>
    public static (Tensor Lower, Tensor Upper) Around(Tensor magnitude, long rank) =>
        magnitude.device_type != DeviceType.CPU ? Sorted(magnitude, rank)
            : Found(magnitude, rank) is { } found ? found
            : (Selected(magnitude, rank), Selected(magnitude, rank + 1));

    /// <summary>The same as <see cref="Around"/> by a full sort; where a rank is the last, the next one is that too.</summary>
    internal static (Tensor Lower, Tensor Upper) Sorted(Tensor magnitude, long rank)
    {
        var sorted = magnitude.sort(1).Values;
        return (sorted.narrow(1, rank - 1, 1), sorted.narrow(1, Math.Min(rank, magnitude.shape[1] - 1), 1));
    }

    private static (Tensor Lower, Tensor Upper)? Found(Tensor magnitude, long rank) =>
        RankSearch.Of(magnitude, rank) is { } found ? (Single(magnitude, found.Lower), Single(magnitude, found.Upper))
            : GroupRanks.Of(magnitude, rank);

    private static Tensor Single(Tensor magnitude, float value)
    {
        using Scalar scalar = value.ToScalar();
        return full([1, 1], scalar, magnitude.dtype, magnitude.device);
    }

    private static Tensor Selected(Tensor magnitude, long rank) => magnitude.kthvalue(rank, 1, keepdim: true).values;
}
