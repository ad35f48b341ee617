using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pdp.Internal;
using Pdp.Masks;

namespace Pdp.Kernels;

/// <summary>One threshold for each group of M weights along the input dimension, computed where it is used.</summary>
/// <remarks>
/// M consecutive inputs, at all kernel positions, are a block of M rows that lie side by side in memory; a group is a column of it. Columns
/// are brought into a tile, of one or several blocks, in which eight neighbouring groups make a vector.
/// </remarks>
internal sealed unsafe class NofMKernel : IMaskKernel
{
    /// <summary>The largest M: the tiles of longer groups would not fit the first-level cache.</summary>
    public const int MostMembers = 32;

    /// <summary>The groups of a tile.</summary>
    private const int Width = 64;

    /// <summary>The weights of a piece, about.</summary>
    private const int PieceLength = 1 << 16;

    private static readonly int Lanes = Vector256<float>.Count;
    private readonly int _members;
    private readonly long _stride;
    private readonly long _blocks;
    private readonly long _blocksPerPiece;
    private int _removed;
    private float _temperature;
    private bool _isRelative;

    /// <summary>Makes the kernel of a weight.</summary>
    public NofMKernel(int members, WeightLayout layout)
    {
        _members = members;
        _stride = layout.Shape.Skip(layout.InputDimension + 1).Aggregate(1L, (product, size) => product * size);
        _blocks = layout.Elements / (members * _stride);
        _blocksPerPiece = Math.Max(1, PieceLength / (members * _stride));
    }

    /// <inheritdoc/>
    public int Pieces => (int)((_blocks + _blocksPerPiece - 1) / _blocksPerPiece);

    /// <summary>Sets the weights removed of each group, and τ, or ρ·t².</summary>
    public void Set(long removed, float temperature, bool isRelative)
    {
        _removed = (int)removed;
        _temperature = temperature;
        _isRelative = isRelative;
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    public void Enter(int piece, float* weight, float* dense)
    {
        var (start, blocks) = Extent(piece);
        Copy(weight + start, dense + start, blocks * _members * _stride);
        var tile = stackalloc float[MostMembers * Width];
        new Span<float>(tile, _members * Width).Clear();
        for (var place = new Place(); place.Next(blocks, _stride, Width);)
        {
            Gather(dense + start, tile, place);
            for (var lane = 0; lane < place.Groups; lane += Lanes)
                Mask(tile + lane);
            Scatter(tile, weight + start, place);
        }
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    public bool Leave(int piece, float* weight, float* dense, float* gradient, float* sum)
    {
        var (start, blocks) = Extent(piece);
        var tiles = stackalloc float[4 * MostMembers * Width];
        new Span<float>(tiles, 4 * MostMembers * Width).Clear();
        var w = tiles;
        var masked = w + (MostMembers * Width);
        var g = masked + (MostMembers * Width);
        var s = g + (MostMembers * Width);
        var isUnchanged = true;
        for (var place = new Place(); place.Next(blocks, _stride, Width);)
        {
            Gather(dense + start, w, place);
            Gather(weight + start, masked, place);
            if (gradient is not null)
                Gather(gradient + start, g, place);
            if (sum is not null)
                Gather(sum + start, s, place);
            for (var lane = 0; lane < place.Groups; lane += Lanes)
                isUnchanged &= Correct(w + lane, masked + lane, g + lane, s + lane, Math.Min(Lanes, place.Groups - lane));
            if (sum is not null)
                Scatter(s, sum + start, place);
            else if (gradient is not null)
                Scatter(g, gradient + start, place);
        }

        Copy(dense + start, weight + start, blocks * _members * _stride);
        return isUnchanged;
    }

    private (long Start, long Blocks) Extent(int piece)
    {
        var first = piece * _blocksPerPiece;
        return (first * _members * _stride, Math.Min(_blocksPerPiece, _blocks - first));
    }

    /// <summary>Puts ŵ in the place of w in eight columns of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Mask(float* w)
    {
        var (t, inverse) = BoundaryOf(w);
        for (var member = 0; member < _members; member++)
            MaskMath.Masked(Vector256.Load(w + (member * Width)), t, inverse).Store(w + (member * Width));
    }

    /// <summary>Corrects the gradient in eight columns and adds it to their sum; whether the first of them were still ŵ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Correct(float* w, float* weight, float* g, float* sum, int columns)
    {
        var (t, inverse) = BoundaryOf(w);
        var same = Vector256<float>.AllBitsSet;
        for (var row = 0; row < _members * Width; row += Width)
        {
            var gradient = MaskMath.Gradient(Vector256.Load(w + row), Vector256.Load(g + row), t, inverse, out var masked);
            same &= Vector256.Equals(masked, Vector256.Load(weight + row));
            gradient.Store(g + row);
            (Vector256.Load(sum + row) + gradient).Store(sum + row);
        }

        var first = (1u << columns) - 1;
        return (same.ExtractMostSignificantBits() & first) == first;
    }

    /// <summary>t and 1/τ of eight groups: t is the midpoint of the order statistics p and p + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    [SkipLocalsInit]
    private (Vector256<float> Threshold, Vector256<float> Inverse) BoundaryOf(float* w)
    {
        var sorted = stackalloc Vector256<float>[MostMembers];
        for (var member = 0; member < _members; member++)
            sorted[member] = Vector256.Abs(Vector256.Load(w + (member * Width)));
        SortUpTo(sorted, _members, _removed);

        var t = (sorted[_removed - 1] + sorted[_removed]) * Vector256.Create(0.5f);
        var temperature = _isRelative ? t * Vector256.Create(_temperature) * t : Vector256.Create(_temperature);
        return (t, Vector256<float>.One / Vector256.Max(temperature, Vector256.Create((float)Precision.SmallestNormal)));
    }

    /// <summary>Puts the members of ranks p and p + 1, counted from 1, into their places, from the side that is nearer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SortUpTo(Vector256<float>* keys, int count, int removed)
    {
        if (removed + 1 <= count - removed + 1)
        {
            for (var done = 0; done <= removed; done++)
            {
                for (var i = count - 1; i > done; i--)
                    Order(keys + i - 1);
            }
        }
        else
        {
            for (var done = count - 1; done >= removed - 1; done--)
            {
                for (var i = 0; i < done; i++)
                    Order(keys + i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Order(Vector256<float>* pair) =>
        (pair[0], pair[1]) = (Vector256.MinNative(pair[0], pair[1]), Vector256.MaxNative(pair[0], pair[1]));

    /// <summary>Brings the columns of a place into a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Gather(float* source, float* tile, in Place place)
    {
        if (_stride == 1)
        {
            Transpose(source + (place.Block * _members), _members, 1, tile, 1, Width, place.Blocks, _members);
            return;
        }

        for (var block = 0; block < place.Blocks; block++)
        {
            var row = source + ((place.Block + block) * _members * _stride) + place.Column;
            for (var member = 0; member < _members; member++, row += _stride)
                CopyRun(row, tile + (member * Width) + (block * place.Columns), place.Columns);
        }
    }

    /// <summary>Takes the columns of a place back from a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Scatter(float* tile, float* target, in Place place)
    {
        if (_stride == 1)
        {
            Transpose(tile, 1, Width, target + (place.Block * _members), _members, 1, place.Blocks, _members);
            return;
        }

        for (var block = 0; block < place.Blocks; block++)
        {
            var row = target + ((place.Block + block) * _members * _stride) + place.Column;
            for (var member = 0; member < _members; member++, row += _stride)
                CopyRun(tile + (member * Width) + (block * place.Columns), row, place.Columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRun(float* source, float* target, int length)
    {
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
            Vector256.Load(source + i).Store(target + i);
        for (; i < length; i++)
            target[i] = source[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(float* source, int sourceStep, int sourceRow, float* target, int targetStep, int targetRow, int steps, int rows)
    {
        for (var step = 0; step < steps; step++)
        {
            for (var row = 0; row < rows; row++)
                target[(step * targetStep) + (row * targetRow)] = source[(step * sourceStep) + (row * sourceRow)];
        }
    }

    private static void Copy(float* source, float* target, long length) =>
        Buffer.MemoryCopy(source, target, length * sizeof(float), length * sizeof(float));

    /// <summary>The columns of a tile: some of one wide block, or all of several narrow ones.</summary>
    private struct Place
    {
        public long Block;
        public int Blocks;
        public long Column;
        public int Columns;

        public readonly int Groups => Blocks * Columns;

        /// <summary>Moves on; false at the end.</summary>
        public bool Next(long blocks, long stride, int width)
        {
            Column += Columns;
            if (Column >= stride || Columns == 0)
            {
                Block += Blocks;
                Column = 0;
            }

            Columns = (int)Math.Min(width, stride - Column);
            Blocks = stride < width ? (int)Math.Min(width / stride, blocks - Block) : 1;
            return Block < blocks;
        }
    }
}
