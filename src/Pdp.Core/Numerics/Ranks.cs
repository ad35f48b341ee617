using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>Order statistics of competitors, <c>[groups, members]</c>, without waiting for the device.</summary>
/// <remarks>
/// Ranks count from 1. On the CPU, kernels do the work for a single group and for short groups, many times faster than <c>kthvalue</c>.
/// On a GPU, <c>kthvalue</c> uses only one block of threads a group, a thousand times too few for a whole layer, while a sort uses all of
/// them. Works in the caller's dispose scope.
/// </remarks>
internal static class Ranks
{
    private static readonly Scalar Next = 1L.ToScalar();

    /// <summary>The magnitude at a rank, <c>[groups, 1]</c>.</summary>
    public static Tensor At(Tensor magnitude, long rank) =>
        magnitude.device_type != DeviceType.CPU ? Sorted(magnitude, rank).Lower
            : rank < magnitude.shape[1] && FoundByKernel(magnitude, rank) is { } found ? found.Lower
            : Selected(magnitude, rank);

    /// <summary>The magnitudes at a rank and at the next one, each <c>[groups, 1]</c>.</summary>
    public static (Tensor Lower, Tensor Upper) Around(Tensor magnitude, long rank) =>
        magnitude.device_type != DeviceType.CPU ? Sorted(magnitude, rank)
            : FoundByKernel(magnitude, rank) is { } found ? found
            : (Selected(magnitude, rank), Selected(magnitude, rank + 1));

    /// <summary>The magnitudes at a rank of each of several parts, and at the next one, each <c>[parts]</c>.</summary>
    /// <param name="magnitude">The magnitudes of all parts, one part after another, <c>[elements]</c>.</param>
    /// <param name="part">The number of each element's part, <c>[elements]</c>.</param>
    /// <param name="place">Where the rank of each part would be if the elements of each were in order, <c>[parts]</c>.</param>
    public static (Tensor Lower, Tensor Upper) Around(Tensor magnitude, Tensor part, Tensor place)
    {
        // Two sorts, since the second one keeps the order of the first within each part.
        var (sorted, order) = magnitude.sort(0);
        var byPart = part.index_select(0, order).sort(0, stable: true).Indices;
        return (At(place), At(place.add(Next, Next)));

        Tensor At(Tensor places) => sorted.index_select(0, byPart.index_select(0, places));
    }

    /// <summary>The same as <see cref="Around(Tensor, long)"/>, by a full sort; after the last rank comes the last one again.</summary>
    internal static (Tensor Lower, Tensor Upper) Sorted(Tensor magnitude, long rank)
    {
        var sorted = magnitude.sort(1).Values;
        return (sorted.narrow(1, rank - 1, 1), sorted.narrow(1, Math.Min(rank, magnitude.shape[1] - 1), 1));
    }

    private static (Tensor Lower, Tensor Upper)? FoundByKernel(Tensor magnitude, long rank) =>
        RankSearch.Of(magnitude, rank) is { } found ? (Single(magnitude, found.Lower), Single(magnitude, found.Upper))
            : GroupRanks.Of(magnitude, rank);

    private static Tensor Single(Tensor magnitude, float value)
    {
        using Scalar scalar = value.ToScalar();
        return full([1, 1], scalar, magnitude.dtype, magnitude.device);
    }

    private static Tensor Selected(Tensor magnitude, long rank) => magnitude.kthvalue(rank, 1, keepdim: true).values;
}
