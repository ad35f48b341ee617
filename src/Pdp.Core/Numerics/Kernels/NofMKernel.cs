using System.Buffers;

namespace Pdp.Numerics.Kernels;

/// <summary>One threshold for each group of M weights along the input dimension, computed when it is used.</summary>
/// <remarks>
/// M consecutive inputs, at all kernel positions, are a block of M contiguous rows, and each of its columns is a group. The work goes on by
/// chunks of blocks: the threshold and the scale of each weight of the chunk are written to scratch memory, then one pass does the rest.
/// </remarks>
internal sealed unsafe class NofMKernel : IMaskKernel
{
    /// <summary>The approximate number of weights in a piece.</summary>
    private const int PieceLength = 1 << 16;

    /// <summary>The approximate number of weights in a chunk, whose thresholds stay in the first-level cache.</summary>
    private const int ChunkLength = 1 << 11;

    private readonly IGroupBoundaries _boundaries;
    private readonly int _members;
    private readonly long _elements;
    private readonly int _block;
    private readonly long _blocks;
    private readonly long _blocksPerPiece;
    private readonly long _blocksPerChunk;
    private readonly int _room;
    private Sharpness? _gradient;

    /// <summary>Makes the kernel of a weight.</summary>
    public NofMKernel(int members, WeightLayout layout)
    {
        var stride = StrideOf(layout);
        _boundaries = Lanes.Boundaries(members, stride);
        _members = members;
        _elements = layout.Elements;
        _block = members * stride;
        _blocks = _elements / _block;
        // Sixteen blocks of any size make whole vectors.
        _blocksPerChunk = _block * Lanes.Most <= ChunkLength
            ? ChunkLength / _block / Lanes.Most * Lanes.Most
            : Math.Max(1, ChunkLength / _block);
        _room = (int)(_blocksPerChunk * _block) + Lanes.Most;
        _blocksPerPiece = Math.Max(1, PieceLength / _block / _blocksPerChunk) * _blocksPerChunk;
    }

    /// <inheritdoc/>
    public int Pieces => (int)((_blocks + _blocksPerPiece - 1) / _blocksPerPiece);

    /// <summary>The distance between the members of a group in memory.</summary>
    public static int StrideOf(WeightLayout layout) =>
        (int)layout.Shape.Skip(layout.InputDimension + 1).Aggregate(1L, (product, size) => product * size);

    /// <summary>Sets how many weights of each group are removed, the temperature, and that of the gradient if it differs.</summary>
    public void Set(long removed, Sharpness sharpness, Sharpness? gradient = null)
    {
        _boundaries.Set((int)removed, sharpness);
        _gradient = gradient;
    }

    /// <inheritdoc/>
    public void Enter(int piece, float* weight, float* dense)
    {
        var memory = ArrayPool<float>.Shared.Rent(3 * _room);
        fixed (float* scratch = memory)
        {
            for (var first = piece * _blocksPerPiece; first < EndOf(piece); first += _blocksPerChunk)
            {
                var (start, length) = Write(first, weight, scratch);
                Lanes.Pass.Enter(weight + start, dense + start, length, scratch, scratch + _room);
            }
        }

        ArrayPool<float>.Shared.Return(memory);
    }

    /// <inheritdoc/>
    public bool Leave(int piece, float* weight, float* dense, float* gradient, float* sum, RadialSums* radial)
    {
        var memory = ArrayPool<float>.Shared.Rent(3 * _room);
        var isUnchanged = true;
        fixed (float* scratch = memory)
        {
            for (var first = piece * _blocksPerPiece; first < EndOf(piece); first += _blocksPerChunk)
            {
                var (start, length) = Write(first, dense, scratch);
                isUnchanged &= Lanes.Pass.Leave(
                    weight + start,
                    dense + start,
                    IMaskPass.At(gradient, start),
                    IMaskPass.At(sum, start),
                    length,
                    scratch,
                    scratch + _room,
                    _gradient,
                    radial);
            }
        }

        ArrayPool<float>.Shared.Return(memory);
        return isUnchanged;
    }

    /// <summary>Adds the groups to the statistics of a report, with the boundaries that were set last.</summary>
    public void AddTo(MaskStatistics statistics, float* weight, long removed)
    {
        var memory = ArrayPool<float>.Shared.Rent(3 * _room);
        fixed (float* scratch = memory)
        {
            for (var first = 0L; first < _blocks; first += _blocksPerChunk)
            {
                var (start, length) = Write(first, weight, scratch);
                statistics.AddGroups(weight + start, length, scratch, scratch + _room, _members, _block / _members, removed);
            }
        }

        ArrayPool<float>.Shared.Return(memory);
    }

    /// <inheritdoc/>
    public (long Start, int Length) Extent(int piece)
    {
        var first = piece * _blocksPerPiece;
        return (first * _block, (int)(EndOf(piece) - first) * _block);
    }

    private long EndOf(int piece) => Math.Min(_blocks, (piece + 1) * _blocksPerPiece);

    /// <summary>Writes the thresholds and the scales of the chunk that begins with a block.</summary>
    private (long Start, int Length) Write(long first, float* weights, float* scratch)
    {
        var (start, blocks) = (first * _block, (int)Math.Min(_blocksPerChunk, _blocks - first));
        var length = blocks * _block;
        var source = weights + start;
        if (start + length + Lanes.Most > _elements)
        {
            // Vectors may extend beyond the chunk, and there may be no memory after the end of the weight.
            var padded = scratch + (2 * _room);
            Buffer.MemoryCopy(source, padded, length * sizeof(float), length * sizeof(float));
            new Span<float>(padded + length, Lanes.Most).Clear();
            source = padded;
        }

        _boundaries.Write(source, blocks, scratch, scratch + _room);
        return (start, length);
    }
}
