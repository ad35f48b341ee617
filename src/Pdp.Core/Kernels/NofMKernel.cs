using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pdp.Internal;
using Pdp.Masks;

namespace Pdp.Kernels;

/// <summary>One threshold for each group of M weights along the input dimension, computed where it is used.</summary>
/// <remarks>
/// M consecutive inputs, at all kernel positions, are a block of M rows that lie side by side in memory; a group is a column of it. Eight
/// neighbouring columns are taken where they are; what is left of a row, or all of a row that is shorter, is brought into a tile, in which the
/// columns of several blocks lie side by side. Groups of four neighbours, as in linear layers, are settled within a vector.
/// </remarks>
internal sealed unsafe class NofMKernel : IMaskKernel
{
    /// <summary>The largest M: the tiles of longer groups would not fit the first-level cache.</summary>
    public const int MostMembers = 32;

    /// <summary>The numbers of a vector; a constant, as a field would be read in every turn of a loop.</summary>
    private const int Lanes = 8;

    /// <summary>The groups of a tile.</summary>
    private const int Width = 64;

    /// <summary>The weights of a piece, about.</summary>
    private const int PieceLength = 1 << 16;

    private readonly int _members;
    private readonly long _stride;
    private readonly long _whole;
    private readonly bool _isAdjacent;
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
        _isAdjacent = _stride == 1 && members == 4;
        _whole = _stride - (_stride % Lanes);
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
    public void Enter(int piece, float* weight, float* dense)
    {
        var (start, blocks) = Extent(piece);
        Copy(weight + start, dense + start, blocks * _members * _stride);
        if (_isAdjacent)
            EnterAdjacent(weight + start, dense + start, AdjacentWeights(blocks));
        else
            EnterWhole(weight + start, dense + start, blocks);
        var rest = start + AdjacentWeights(blocks);
        EnterRest(weight + rest, dense + rest, blocks - (AdjacentWeights(blocks) / _members));
    }

    /// <inheritdoc/>
    public bool Leave(int piece, float* weight, float* dense, float* gradient, float* sum)
    {
        var (start, blocks) = Extent(piece);
        var adjacent = AdjacentWeights(blocks);
        var rest = start + adjacent;
        var isUnchanged = _isAdjacent
            ? LeaveAdjacent(weight + start, dense + start, At(gradient, start), At(sum, start), adjacent)
            : LeaveWhole(weight + start, dense + start, At(gradient, start), At(sum, start), blocks);
        isUnchanged &= LeaveRest(weight + rest, dense + rest, At(gradient, rest), At(sum, rest), blocks - (adjacent / _members));
        Copy(dense + start, weight + start, blocks * _members * _stride);
        return isUnchanged;
    }

    /// <summary>The weights, of so many blocks, whose groups fill whole vectors.</summary>
    private long AdjacentWeights(long blocks) => _isAdjacent ? blocks * _members / Lanes * Lanes : 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void EnterAdjacent(float* weight, float* dense, long count)
    {
        for (var i = 0L; i < count; i += Lanes)
        {
            var w = Vector256.Load(dense + i);
            var (t, inverse) = BoundaryOf(SumWithin(w));
            MaskMath.Masked(w, t, inverse).Store(weight + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool LeaveAdjacent(float* weight, float* dense, float* gradient, float* sum, long count)
    {
        var same = Vector256<float>.AllBitsSet;
        for (var i = 0L; i < count; i += Lanes)
        {
            var w = Vector256.Load(dense + i);
            var (t, inverse) = BoundaryOf(SumWithin(w));
            same &= MaskMath.Correct(w, weight + i, At(gradient, i), At(sum, i), t, inverse);
        }

        return same.ExtractMostSignificantBits() == (1u << Lanes) - 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void EnterWhole(float* weight, float* dense, long blocks)
    {
        for (var block = 0L; block < blocks; block++)
        {
            for (var column = 0L; column < _whole; column += Lanes)
            {
                var place = (block * _members * _stride) + column;
                Mask(dense + place, weight + place, _stride);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool LeaveWhole(float* weight, float* dense, float* gradient, float* sum, long blocks)
    {
        var isUnchanged = true;
        for (var block = 0L; block < blocks; block++)
        {
            for (var column = 0L; column < _whole; column += Lanes)
            {
                var place = (block * _members * _stride) + column;
                isUnchanged &= Correct(dense + place, weight + place, At(gradient, place), At(sum, place), _stride, Lanes);
            }
        }

        return isUnchanged;
    }

    [SkipLocalsInit]
    private void EnterRest(float* weight, float* dense, long blocks)
    {
        var tile = stackalloc float[MostMembers * Width];
        new Span<float>(tile, _members * Width).Clear();
        for (var place = new Place(_whole, _stride); place.Next(blocks);)
        {
            Gather(dense, tile, place);
            for (var lane = 0; lane < place.Groups; lane += Lanes)
                Mask(tile + lane, tile + lane, Width);
            Scatter(tile, weight, place);
        }
    }

    [SkipLocalsInit]
    private bool LeaveRest(float* weight, float* dense, float* gradient, float* sum, long blocks)
    {
        var tiles = stackalloc float[4 * MostMembers * Width];
        new Span<float>(tiles, 4 * MostMembers * Width).Clear();
        var w = tiles;
        var masked = w + (MostMembers * Width);
        var g = masked + (MostMembers * Width);
        var s = g + (MostMembers * Width);
        var isUnchanged = true;
        for (var place = new Place(_whole, _stride); place.Next(blocks);)
        {
            Gather(dense, w, place);
            Gather(weight, masked, place);
            if (gradient is not null)
                Gather(gradient, g, place);
            if (sum is not null)
                Gather(sum, s, place);
            for (var lane = 0; lane < place.Groups; lane += Lanes)
                isUnchanged &= Correct(w + lane, masked + lane, g + lane, sum is null ? null : s + lane, Width, Math.Min(Lanes, place.Groups - lane));
            if (sum is not null)
                Scatter(s, sum, place);
            else if (gradient is not null)
                Scatter(g, gradient, place);
        }

        return isUnchanged;
    }

    private (long Start, long Blocks) Extent(int piece)
    {
        var first = piece * _blocksPerPiece;
        return (first * _members * _stride, Math.Min(_blocksPerPiece, _blocks - first));
    }

    /// <summary>Writes ŵ of eight columns, whose rows are a step apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Mask(float* w, float* target, long step)
    {
        var (t, inverse) = BoundaryOf(SumOf(w, step));
        for (var row = 0L; row < _members * step; row += step)
            MaskMath.Masked(Vector256.Load(w + row), t, inverse).Store(target + row);
    }

    /// <summary>Corrects the gradient of eight columns, or adds it to a sum; whether the first of them were still ŵ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Correct(float* w, float* weight, float* g, float* sum, long step, int columns)
    {
        var (t, inverse) = BoundaryOf(SumOf(w, step));
        var same = Vector256<float>.AllBitsSet;
        for (var row = 0L; row < _members * step; row += step)
            same &= MaskMath.Correct(Vector256.Load(w + row), weight + row, At(g, row), At(sum, row), t, inverse);

        var first = (1u << columns) - 1;
        return (same.ExtractMostSignificantBits() & first) == first;
    }

    /// <summary>t and 1/τ: t is the midpoint of the order statistics p and p + 1, given as their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (Vector256<float> Threshold, Vector256<float> Inverse) BoundaryOf(Vector256<float> sum)
    {
        var t = sum * Vector256.Create(0.5f);
        var temperature = _isRelative ? t * Vector256.Create(_temperature) * t : Vector256.Create(_temperature);
        return (t, Vector256<float>.One / Vector256.MaxNative(temperature, Vector256.Create((float)Precision.SmallestNormal)));
    }

    /// <summary>The order statistics p and p + 1 of each of eight columns, added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<float> SumOf(float* w, long step)
    {
        if (_members != 4)
            return SumOfMany(w, step);

        var (a, b) = (Vector256.Abs(Vector256.Load(w)), Vector256.Abs(Vector256.Load(w + step)));
        var (c, d) = (Vector256.Abs(Vector256.Load(w + (2 * step))), Vector256.Abs(Vector256.Load(w + (3 * step))));
        return SumOfFour(Vector256.MinNative(a, b), Vector256.MaxNative(a, b), Vector256.MinNative(c, d), Vector256.MaxNative(c, d));
    }

    /// <summary>The same of four neighbours, in the places of all four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<float> SumWithin(Vector256<float> w)
    {
        var first = Vector256.Abs(w);
        var second = Vector256.Shuffle(first, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));
        var (low, high) = (Vector256.MinNative(first, second), Vector256.MaxNative(first, second));
        var otherPair = Vector256.Create(2, 3, 0, 1, 6, 7, 4, 5);
        return SumOfFour(low, high, Vector256.Shuffle(low, otherPair), Vector256.Shuffle(high, otherPair));
    }

    /// <summary>The order statistics p and p + 1 of four, added, from two sorted pairs: a network that stays in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<float> SumOfFour(Vector256<float> low, Vector256<float> high, Vector256<float> otherLow, Vector256<float> otherHigh)
    {
        var (innerLow, innerHigh) = (Vector256.MaxNative(low, otherLow), Vector256.MinNative(high, otherHigh));
        var (second, third) = (Vector256.MinNative(innerLow, innerHigh), Vector256.MaxNative(innerLow, innerHigh));
        return _removed switch
        {
            1 => Vector256.MinNative(low, otherLow) + second,
            2 => second + third,
            _ => third + Vector256.MaxNative(high, otherHigh),
        };
    }

    /// <summary>The order statistics p and p + 1 of any number, added.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private Vector256<float> SumOfMany(float* w, long step)
    {
        var sorted = stackalloc Vector256<float>[MostMembers];
        for (var member = 0; member < _members; member++)
            sorted[member] = Vector256.Abs(Vector256.Load(w + (member * step)));
        SortUpTo(sorted, _members, _removed);
        return sorted[_removed - 1] + sorted[_removed];
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
        for (var i = 0; i < length; i++)
            target[i] = source[i];
    }

    private static float* At(float* elements, long place) => elements is null ? null : elements + place;

    private static void Copy(float* source, float* target, long length) =>
        Buffer.MemoryCopy(source, target, length * sizeof(float), length * sizeof(float));

    /// <summary>The columns of a tile: the last ones of several blocks.</summary>
    private struct Place(long first, long stride)
    {
        public readonly long Column => first;

        public readonly int Columns => (int)(stride - first);

        public long Block { get; private set; }

        public int Blocks { get; private set; }

        public readonly int Groups => Blocks * Columns;

        /// <summary>Moves on; false at the end.</summary>
        public bool Next(long blocks)
        {
            Block += Blocks;
            Blocks = Columns == 0 ? 0 : (int)Math.Min(Width / Columns, blocks - Block);
            return Blocks > 0;
        }
    }
}
