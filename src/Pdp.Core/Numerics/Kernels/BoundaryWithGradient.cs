using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>A boundary whose gradient has a temperature of its own.</summary>
internal readonly struct BoundaryWithGradient<TLanes, TBoundary>(TBoundary boundary, Sharpness gradient) : IBoundary<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
    where TBoundary : struct, IBoundary<TLanes>
{
    private readonly TLanes _ratio = TLanes.Create((float)gradient.Ratio);
    private readonly TLanes _most = TLanes.Create((float)Math.Min(gradient.Most, float.MaxValue));

    /// <inheritdoc/>
    public static bool HasGradientScale => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Threshold(int place) => boundary.Threshold(place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Scale(int place) => boundary.Scale(place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes GradientScale(int place) => TLanes.Min(_ratio / boundary.Threshold(place), _most);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Competing(TLanes w, int place) => boundary.Competing(w, place);
}
