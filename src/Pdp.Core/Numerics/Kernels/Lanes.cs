using System.Runtime.Intrinsics;

namespace Pdp.Numerics.Kernels;

/// <summary>Chooses the kernels for the width of the processor's vectors.</summary>
internal static class Lanes
{
    /// <summary>How many numbers the widest vector has.</summary>
    public const int Most = 16;

    /// <summary>The passes over weights, in the widest vectors that the processor has.</summary>
    public static IMaskPass Pass { get; } =
        Vector512.IsHardwareAccelerated ? new MaskPass<Lanes512>()
            : Vector256.IsHardwareAccelerated ? new MaskPass<Lanes256>()
            : new MaskPass<Lanes128>();

    /// <summary>The boundaries of groups, in the same vectors.</summary>
    /// <param name="members">M.</param>
    /// <param name="stride">The distance between the members of a group.</param>
    public static IGroupBoundaries Boundaries(int members, int stride) =>
        Vector512.IsHardwareAccelerated ? new GroupBoundaries<Lanes512>(members, stride)
            : Vector256.IsHardwareAccelerated ? new GroupBoundaries<Lanes256>(members, stride)
            : new GroupBoundaries<Lanes128>(members, stride);
}
