using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>One threshold and temperature for all weights.</summary>
internal readonly struct BoundaryOfAll<TLanes>(float threshold, float scale) : IBoundary<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    private readonly TLanes _threshold = TLanes.Create(threshold);
    private readonly TLanes _scale = TLanes.Create(scale);

    /// <inheritdoc/>
    public static bool HasGradientScale => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Threshold(int place) => _threshold;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Scale(int place) => _scale;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes GradientScale(int place) => Scale(place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Competing(TLanes w, int place) => w;
}
