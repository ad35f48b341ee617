using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>A threshold and a temperature for each weight; the memory extends a vector beyond the last one.</summary>
internal readonly unsafe struct BoundaryOfEach<TLanes>(float* thresholds, float* scales) : IBoundary<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <inheritdoc/>
    public static bool HasGradientScale => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Threshold(int place) => TLanes.Load(thresholds + place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Scale(int place) => TLanes.Load(scales + place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes GradientScale(int place) => Scale(place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Competing(TLanes w, int place) => w;
}
