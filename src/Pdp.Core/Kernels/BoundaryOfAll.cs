using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pdp.Kernels;

/// <summary>One threshold and temperature for all weights.</summary>
internal readonly struct BoundaryOfAll(float threshold, float scale) : IBoundary
{
    private readonly Vector512<float> _threshold = Vector512.Create(threshold);
    private readonly Vector512<float> _scale = Vector512.Create(scale);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Threshold(int place) => _threshold;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Scale(int place) => _scale;
}
