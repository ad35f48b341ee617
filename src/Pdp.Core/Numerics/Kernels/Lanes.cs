using System.Runtime.Intrinsics;

namespace Pdp.Numerics.Kernels;

/// <summary>The width of the processor's vectors.</summary>
internal static class Lanes
{
    /// <summary>The numbers of the widest vector.</summary>
    public const int Most = 16;

    /// <summary>The passes over weights in the widest vectors that the processor has.</summary>
    public static IMaskPass Pass { get; } =
        Vector512.IsHardwareAccelerated ? new MaskPass<Lanes512>() : Vector256.IsHardwareAccelerated ? new MaskPass<Lanes256>() : new MaskPass<Lanes128>();

    /// <summary>The boundaries of groups in the same vectors.</summary>
    /// <param name="members">M.</param>
    /// <param name="stride">From one member of a group to the next.</param>
    public static IGroupBoundaries Boundaries(int members, int stride) =>
        Vector512.IsHardwareAccelerated ? new GroupBoundaries<Lanes512>(members, stride)
            : Vector256.IsHardwareAccelerated ? new GroupBoundaries<Lanes256>(members, stride)
            : new GroupBoundaries<Lanes128>(members, stride);
}
