using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>The loops over nonzeros: each is broadcast, then multiplied by all positions and added up in registers.</summary>
/// <remarks>
/// Four indices are read at once, as the processor has few loads to spare. Each position has its own sum, in the order of the
/// columns, so that the result depends neither on the width of vectors and tiles nor on the number of threads.
/// </remarks>
/// <typeparam name="TLanes">The vector.</typeparam>
internal sealed unsafe class PanelKernel<TLanes> : IPanelKernel
    where TLanes : unmanaged, ILanes<TLanes>
{
    private const int MostVectors = 8;

    /// <summary>0, 1, 2, …</summary>
    private static readonly TLanes Numbers = Count();

    /// <inheritdoc/>
    public int Lanes => TLanes.Count;

    /// <inheritdoc/>
    public int MostWidth => Math.Min(Tile.MostWidth, MostVectors * TLanes.Count);

    /// <inheritdoc/>
    public int LeastWidth => Math.Max(8, TLanes.Count);

    /// <inheritdoc/>
    public void Multiply(Panel panel, float* slab, float* y, int width)
    {
        switch (width / TLanes.Count)
        {
            case 1:
                Multiply<OneVector<TLanes>>(panel, (byte*)slab, y);
                break;
            case 2:
                Multiply<TwoBlocks<OneVector<TLanes>, TLanes>>(panel, (byte*)slab, y);
                break;
            case 4:
                Multiply<TwoBlocks<TwoBlocks<OneVector<TLanes>, TLanes>, TLanes>>(panel, (byte*)slab, y);
                break;
            default:
                Multiply<TwoBlocks<TwoBlocks<TwoBlocks<OneVector<TLanes>, TLanes>, TLanes>, TLanes>>(panel, (byte*)slab, y);
                break;
        }
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void ClampAll(float* y, long count, float most)
    {
        var (low, high) = (TLanes.Create(0), TLanes.Create(most));
        // NaN as the second argument stays NaN.
        for (var i = 0L; i < count; i += TLanes.Count)
            TLanes.Min(high, TLanes.Max(low, TLanes.Load(y + i))).Store(y + i);
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void GeluAll(float* y, long count)
    {
        for (var i = 0L; i < count; i += TLanes.Count)
            LanesMath<TLanes>.Gelu(TLanes.Load(y + i)).Store(y + i);
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void Add(float* y, float* x, int count)
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            (TLanes.Load(y + i) + TLanes.Load(x + i)).Store(y + i);
        for (; i < count; i++)
            y[i] += x[i];
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void Spread(float* values, float* y, int rows, int width)
    {
        for (var row = 0; row < rows; row++)
        {
            var value = TLanes.Create(values[row]);
            for (var end = y + width; y < end; y += TLanes.Count)
                value.Store(y);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void Gather(float* source, long sourceStride, Part* parts, int number, float* target, long targetStride, int channels)
    {
        // If there are fewer than two parts, the missing ones have no positions.
        var none = new Part(number == 0 ? 0 : parts[0].Source, 0, 0);
        if (number == 1)
            Take(source + parts[0].Source, Mask(parts[0]), sourceStride, target, targetStride, channels);
        else
            Take(source, number > 0 ? parts[0] : none, number > 1 ? parts[1] : none, sourceStride, target, targetStride, channels);
        for (var i = 2; i < number; i++)
            AddPart(source + parts[i].Source, Mask(parts[i]), sourceStride, target, targetStride, channels);
    }

    /// <summary>A mask with all bits set for the positions of a part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Mask(Part part) =>
        TLanes.Less(Numbers, TLanes.Create(part.End)) & TLanes.GreaterOrEqual(Numbers, TLanes.Create(part.First));

    [MethodImpl(Compiled.AtOnce)]
    private static void Take(float* source, TLanes mask, long sourceStride, float* target, long targetStride, int channels)
    {
        for (var i = 0; i < channels; i++, source += sourceStride, target += targetStride)
            (TLanes.Load(source) & mask).Store(target);
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void Take(float* source, Part a, Part b, long sourceStride, float* target, long targetStride, int channels)
    {
        var (one, other) = (Mask(a), Mask(b));
        var second = source + b.Source;
        source += a.Source;
        for (var i = 0; i < channels; i++, source += sourceStride, second += sourceStride, target += targetStride)
            ((TLanes.Load(source) & one) + (TLanes.Load(second) & other)).Store(target);
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void AddPart(float* source, TLanes mask, long sourceStride, float* target, long targetStride, int channels)
    {
        for (var i = 0; i < channels; i++, source += sourceStride, target += targetStride)
            (TLanes.Load(target) + (TLanes.Load(source) & mask)).Store(target);
    }

    private static TLanes Count()
    {
        var numbers = stackalloc float[TLanes.Count];
        for (var i = 0; i < TLanes.Count; i++)
            numbers[i] = i;
        return TLanes.Load(numbers);
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void Multiply<TSums>(Panel panel, byte* slab, float* y)
        where TSums : unmanaged, ISums<TSums, TLanes>
    {
        var rows = panel.Rows;
        var indices = panel.Indices;
        var values = panel.Values;
        for (var end = rows + panel.Count; rows < end; rows++)
        {
            Nonzeros.Fetch(values, indices);
            var target = y + (rows->Place * TSums.Count);
            var sums = TSums.Load(target);
            int n = rows->Count;
            for (; n >= 4; n -= 4, indices += 4, values += 4)
            {
                var four = *(ulong*)indices;
                sums = Add(sums, slab, four & 0xffff, values[0]);
                sums = Add(sums, slab, (four >> 16) & 0xffff, values[1]);
                sums = Add(sums, slab, (four >> 32) & 0xffff, values[2]);
                sums = Add(sums, slab, four >> 48, values[3]);
            }

            for (; n > 0; n--)
                sums = Add(sums, slab, *indices++, *values++);
            sums.Store(target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSums Add<TSums>(TSums sums, byte* slab, ulong index, float weight)
        where TSums : unmanaged, ISums<TSums, TLanes> =>
        TSums.Add(sums, (float*)(slab + (index * (nuint)(TSums.Count * sizeof(float) / PackedMatrix.IndexUnit))), TLanes.Create(weight));
}
