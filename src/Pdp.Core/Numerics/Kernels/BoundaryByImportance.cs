using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>
/// One threshold and temperature for all weights, which compete by an importance: a·w, in memory that extends a vector beyond the last.
/// </summary>
internal readonly unsafe struct BoundaryByImportance<TLanes>(float threshold, float scale, float* competing) : IBoundary<TLanes>
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
    public TLanes Competing(TLanes w, int place) => TLanes.Load(competing + place);
}
