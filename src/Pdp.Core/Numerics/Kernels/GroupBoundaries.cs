using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>Writes the threshold and the scale of each weight, for groups of M weights that lie a stride apart in memory.</summary>
/// <remarks>
/// A block is M rows of the stride's length; its columns are the groups. Long rows are read in place. Short rows are copied into a tile in
/// which the columns of several blocks lie side by side. Groups of four neighbours, as in linear layers, are sorted within a vector. Reads
/// and writes extend past the end by less than a vector.
/// </remarks>
/// <typeparam name="TLanes">The vector.</typeparam>
internal sealed unsafe class GroupBoundaries<TLanes>(int members, int stride) : IGroupBoundaries
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>The number of groups in a tile.</summary>
    private const int Width = 64;

    /// <summary>The distance between the rows of a tile, with room for what <see cref="CopyRun"/> writes beyond a row.</summary>
    private const int Pitch = Width + Lanes.Most;

    private readonly OrderStatistics<TLanes> _statistics = new(members);
    private float _ratio;
    private float _most;

    /// <inheritdoc/>
    public void Set(int removed, Sharpness sharpness)
    {
        _statistics.Removed = removed;
        _ratio = (float)sharpness.Ratio;
        _most = (float)Math.Min(sharpness.Most, float.MaxValue);
    }

    /// <inheritdoc/>
    public void Write(float* weights, int blocks, float* thresholds, float* scales)
    {
        if (stride >= TLanes.Count)
            WriteLong(weights, blocks, thresholds, scales);
        else if (stride == 1 && members == 4)
            WriteNeighbours(weights, blocks * members, thresholds, scales);
        else
            WriteShort(weights, blocks, thresholds, scales);
    }

    [MethodImpl(Compiled.AtOnce)]
    private void WriteNeighbours(float* weights, int count, float* thresholds, float* scales)
    {
        for (var i = 0; i < count; i += TLanes.Count)
        {
            var (t, scale) = BoundaryOf(_statistics.SumWithin(TLanes.Load(weights + i)));
            t.Store(thresholds + i);
            scale.Store(scales + i);
        }
    }

    [MethodImpl(Compiled.AtOnce)]
    private void WriteLong(float* weights, int blocks, float* thresholds, float* scales)
    {
        for (var block = 0; block < blocks; block++)
        {
            for (var column = 0; column < stride; column += TLanes.Count)
            {
                // The last vector of a row starts earlier, so that it doesn't reach into the next row.
                var place = (block * members * stride) + Math.Min(column, stride - TLanes.Count);
                var (t, scale) = BoundaryOf(_statistics.SumOf(weights + place, stride));
                for (var member = 0; member < members; member++, place += stride)
                {
                    t.Store(thresholds + place);
                    scale.Store(scales + place);
                }
            }
        }
    }

    [MethodImpl(Compiled.AtOnce)]
    [SkipLocalsInit]
    private void WriteShort(float* weights, int blocks, float* thresholds, float* scales)
    {
        var tile = stackalloc float[IGroupBoundaries.MostMembers * Pitch];
        var t = stackalloc float[Pitch];
        var scale = stackalloc float[Pitch];
        new Span<float>(tile, members * Pitch).Clear();
        var atOnce = Width / stride;
        for (var block = 0; block < blocks; block += atOnce)
        {
            var (place, count) = (block * members * stride, Math.Min(atOnce, blocks - block));
            Gather(weights + place, tile, count);
            for (var lane = 0; lane < count * stride; lane += TLanes.Count)
            {
                var (thresholdOf, scaleOf) = BoundaryOf(_statistics.SumOf(tile + lane, Pitch));
                thresholdOf.Store(t + lane);
                scaleOf.Store(scale + lane);
            }

            Spread(t, thresholds + place, count);
            Spread(scale, scales + place, count);
        }
    }

    /// <summary>t and 1/√τ: t is the midpoint of the order statistics p and p + 1, given as their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (TLanes Threshold, TLanes Scale) BoundaryOf(TLanes sum)
    {
        var t = sum * TLanes.Create(0.5f);
        return (t, TLanes.Min(TLanes.Create(_ratio) / t, TLanes.Create(_most)));
    }

    /// <summary>Copies the rows of blocks into a tile.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private void Gather(float* source, float* tile, int blocks)
    {
        for (var block = 0; block < blocks; block++)
        {
            for (var member = 0; member < members; member++, source += stride)
                CopyRun(source, tile + (member * Pitch) + (block * stride));
        }
    }

    /// <summary>Copies the value of each group to all its members.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private void Spread(float* groups, float* target, int blocks)
    {
        for (var block = 0; block < blocks; block++, groups += stride)
        {
            for (var member = 0; member < members; member++, target += stride)
                CopyRun(groups, target);
        }
    }

    /// <summary>Copies a row as a whole vector; the next row overwrites the surplus.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CopyRun(float* source, float* target)
    {
        if (stride == 1)
            *target = *source;
        else
            TLanes.Load(source).Store(target);
    }
}
