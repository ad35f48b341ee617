using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>The sums of one vector.</summary>
/// <typeparam name="TLanes">The vector.</typeparam>
internal readonly unsafe struct OneVector<TLanes> : ISums<OneVector<TLanes>, TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    private readonly TLanes _sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private OneVector(TLanes sum) => _sum = sum;

    /// <inheritdoc/>
    public static int Count => TLanes.Count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneVector<TLanes> Load(float* source) => new(TLanes.Load(source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneVector<TLanes> Add(OneVector<TLanes> sum, float* x, TLanes weight) =>
        new(TLanes.MultiplyAdd(TLanes.Load(x), weight, sum._sum));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => _sum.Store(target);
}
