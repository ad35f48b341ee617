using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>Writes down the threshold and the scale of each weight of groups of M, which lie a stride apart.</summary>
/// <remarks>
/// M rows of a stride's length are a block; its columns are groups. Long rows are taken where they are, short ones are brought into a tile in
/// which the columns of several blocks lie side by side, and groups of four neighbours, as in linear layers, are settled within a vector. Vectors
/// reach past the end of what is read and written, by less than their length.
/// </remarks>
/// <typeparam name="TLanes">The vector.</typeparam>
internal sealed unsafe class GroupBoundaries<TLanes>(int members, int stride) : IGroupBoundaries
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>The groups of a tile.</summary>
    private const int Width = 64;

    /// <summary>From one row of a tile to the next, with room for what the copy of a run has too much.</summary>
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
                // The last vector of a row begins earlier rather than end in the next row.
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

    /// <summary>Brings the rows of blocks into a tile.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private void Gather(float* source, float* tile, int blocks)
    {
        for (var block = 0; block < blocks; block++)
        {
            for (var member = 0; member < members; member++, source += stride)
                CopyRun(source, tile + (member * Pitch) + (block * stride));
        }
    }

    /// <summary>Gives the groups' values to all their members.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private void Spread(float* groups, float* target, int blocks)
    {
        for (var block = 0; block < blocks; block++, groups += stride)
        {
            for (var member = 0; member < members; member++, target += stride)
                CopyRun(groups, target);
        }
    }

    /// <summary>Copies a row as a whole vector: the next one overwrites what is too much.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CopyRun(float* source, float* target)
    {
        if (stride == 1)
            *target = *source;
        else
            TLanes.Load(source).Store(target);
    }
}
