using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pdp.Kernels;

/// <summary>A threshold and a temperature for each weight, in memory that goes on for a vector behind the last one.</summary>
internal readonly unsafe struct BoundaryOfEach(float* thresholds, float* scales) : IBoundary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Threshold(int place) => Vector512.Load(thresholds + place);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Scale(int place) => Vector512.Load(scales + place);
}
