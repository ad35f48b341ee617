using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>A boundary of a pass that adds up the <see cref="RadialSums"/>.</summary>
internal readonly struct BoundaryWithSums<TLanes, TBoundary>(TBoundary boundary) : IBoundary<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
    where TBoundary : struct, IBoundary<TLanes>
{
    /// <inheritdoc/>
    public static bool HasGradientScale => TBoundary.HasGradientScale;

    /// <inheritdoc/>
    public static bool HasSums => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Threshold(int place) => boundary.Threshold(place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Scale(int place) => boundary.Scale(place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes GradientScale(int place) => boundary.GradientScale(place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Competing(TLanes w, int place) => boundary.Competing(w, place);
}
