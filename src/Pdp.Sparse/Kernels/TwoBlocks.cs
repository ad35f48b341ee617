using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>Two blocks of sums, one after the other; they nest to make larger blocks.</summary>
/// <typeparam name="TBlock">Each of the two.</typeparam>
/// <typeparam name="TLanes">The vector.</typeparam>
internal readonly unsafe struct TwoBlocks<TBlock, TLanes> : ISums<TwoBlocks<TBlock, TLanes>, TLanes>
    where TBlock : unmanaged, ISums<TBlock, TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    private readonly TBlock _first;
    private readonly TBlock _second;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TwoBlocks(TBlock first, TBlock second) => (_first, _second) = (first, second);

    /// <inheritdoc/>
    public static int Count => 2 * TBlock.Count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoBlocks<TBlock, TLanes> Load(float* source) => new(TBlock.Load(source), TBlock.Load(source + TBlock.Count));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoBlocks<TBlock, TLanes> Add(TwoBlocks<TBlock, TLanes> sum, float* x, TLanes weight) =>
        new(TBlock.Add(sum._first, x, weight), TBlock.Add(sum._second, x + TBlock.Count, weight));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target)
    {
        _first.Store(target);
        _second.Store(target + TBlock.Count);
    }
}
