using System.Diagnostics;
using static TorchSharp.torch;

namespace Pdp.Numerics.Kernels;

/// <summary>Finds two neighbouring order statistics exactly: the key of a rank and of the rank above it.</summary>
/// <remarks>
/// <para>
/// A pass over the data counts the keys below a bracket and collects those in it; if the rank is among them, the rest happens in the small
/// collection. The bracket is the one of the last step, or the first time one from a sample. Where it misses, or holds too many, a histogram
/// of the range in which the rank must be narrows it by a factor of 2048: three times at most, as keys have 31 bits.
/// </para>
/// <para>The result depends on the data only, not on bracket, sample or threads. Owns its scratch memory; not thread safe.</para>
/// </remarks>
internal sealed unsafe class RankSearch : IPieces
{
    /// <summary>The keys of a piece, which fit the second-level cache.</summary>
    private const int PieceLength = 1 << 17;

    /// <summary>Collections this small are sorted.</summary>
    private const int Few = 64;

    /// <summary>The fewest keys of a range that tell how dense they lie there.</summary>
    private const int Telling = 64;

    /// <summary>Of fewer numbers a tensor operation finds a rank as fast.</summary>
    private const int FewestSearched = 1 << 13;

    /// <summary>The margin around a sample's rank, in standard deviations of that rank.</summary>
    private const int Margin = 4;

    private readonly Crew? _crew;
    private readonly int[] _collection;
    private readonly int[] _bins = new int[KeyScan.Bins];
    private Pass _pass;
    private int* _bits;
    private long _count;
    private int _low;
    private int _high;
    private int _shift;
    private int* _shared;
    private CountTotals* _totals;
    private int _smallest;

    /// <summary>Makes a search.</summary>
    /// <param name="room">The keys that can be collected.</param>
    /// <param name="crew">Helps with passes over many keys, if given.</param>
    public RankSearch(int room, Crew? crew)
    {
        _crew = crew;
        _collection = GC.AllocateUninitializedArray<int>(room);
    }

    private enum Pass
    {
        Count,
        Largest,
        SmallestAbove,
        Histogram,
    }

    /// <summary>The numbers of a rank, counted from 1, and of the next one; null if they are not of the search's kind, or negative or not finite.</summary>
    /// <param name="numbers">Numbers of one group, <c>[1, members]</c>.</param>
    /// <param name="rank">The rank, in [1, members).</param>
    public static (float Lower, float Upper)? Of(Tensor numbers, long rank)
    {
        var count = numbers.numel();
        if (!NativeTensor.IsSupported || numbers.shape[0] != 1 || count < FewestSearched || NativeTensor.Elements(numbers.Handle, count) is var elements && elements is null)
            return null;

        var search = new RankSearch((int)Math.Clamp(count / 32, FewestSearched, 1 << 18), crew: null);
        var isFound = !KeyScan.HasSigns((int*)elements, count) & search.Find((int*)elements, count, rank - 1, new KeyBracket(), out var key, out var above);
        GC.KeepAlive(numbers);
        return isFound ? (BitConverter.Int32BitsToSingle(key), BitConverter.Int32BitsToSingle(above)) : null;
    }

    /// <summary>The threads that passes may take.</summary>
    public int Threads { get; set; } = 1;

    /// <summary>Finds the keys of a rank and of the one above.</summary>
    /// <param name="bits">Float32 numbers as bits.</param>
    /// <param name="count">How many.</param>
    /// <param name="rank">The rank by magnitude, counted from 0; below count − 1.</param>
    /// <param name="bracket">Where they are expected; learns where they were.</param>
    /// <param name="key">The key of the rank.</param>
    /// <param name="above">The key of the rank above.</param>
    /// <returns>False if a number is not finite.</returns>
    public bool Find(int* bits, long count, long rank, KeyBracket bracket, out int key, out int above)
    {
        Debug.Assert(rank >= 0 && rank < count - 1, "a rank and one above it");

        _bits = bits;
        _count = count;
        fixed (int* collection = _collection)
        fixed (int* bins = _bins)
        {
            (key, above) = (0, 0);
            var range = bracket.IsKnown ? (bracket.Low, bracket.High) : Sample(rank, collection, bins);
            var totals = Count(range, collection);
            if (bracket.IsKnown && !Holds(totals, rank))
            {
                range = Sample(rank, collection, bins);
                totals = Count(range, collection);
            }

            var crowd = Enclose(rank, ref range, ref totals, collection, bins);
            if (totals.Largest >= KeyScan.Infinity)
                return false;

            (key, above) = range.Low == range.High
                ? (range.Low, rank + 1 < totals.Below + totals.Inside ? range.Low : KeyScan.None)
                : Select(collection, (int)totals.Inside, (int)(rank - totals.Below), range, bins);
            above = OrSmallestAbove(above, key);
            bracket.Learn(key, above, count, crowd, _collection.Length);
            return true;
        }
    }

    /// <summary>The largest key: at least <see cref="KeyScan.Infinity"/> if a number is not finite.</summary>
    public int Largest(int* bits, long count)
    {
        _bits = bits;
        _count = count;
        var totals = default(CountTotals);
        _totals = &totals;
        Scan(Pass.Largest);
        return totals.Largest;
    }

    /// <inheritdoc/>
    public void Run(int piece, int worker)
    {
        var bits = _bits + ((long)piece * PieceLength);
        var count = (int)Math.Min(PieceLength, _count - ((long)piece * PieceLength));
        switch (_pass)
        {
            case Pass.Count:
                KeyScan.Count(bits, count, _low, _high, _totals);
                break;
            case Pass.Largest:
                _totals->Add(0, 0, KeyScan.Largest(bits, count));
                break;
            case Pass.SmallestAbove:
                Lower(ref _smallest, KeyScan.SmallestAbove(bits, count, _low));
                break;
            default:
                AddHistogram(bits, count);
                break;
        }
    }

    /// <summary>Narrows a range until it holds the rank, and no more keys than can be collected or a single one.</summary>
    /// <returns>The last range with keys enough to tell their density; a narrow one at a cliff of it holds a few.</returns>
    private (int Low, int High, long Inside) Enclose(long rank, ref (int Low, int High) range, ref CountTotals totals, int* collection, int* bins)
    {
        var crowd = (range.Low, range.High, totals.Inside);
        while (totals.Largest < KeyScan.Infinity && !(Holds(totals, rank) && (totals.Inside <= _collection.Length || range.Low == range.High)))
        {
            var isBelow = rank < totals.Below;
            var isAbove = rank >= totals.Below + totals.Inside;
            var within = isBelow ? rank : isAbove ? rank - totals.Below - totals.Inside : rank - totals.Below;
            range = isBelow ? (0, range.Low - 1) : isAbove ? (range.High + 1, totals.Largest) : range;
            Narrow(bins, ref range, ref within);
            totals = Count(range, collection);
            if (isBelow || isAbove || totals.Inside >= Telling)
                crowd = (range.Low, range.High, totals.Inside);
        }

        return crowd;
    }

    private static bool Holds(in CountTotals totals, long rank) => rank >= totals.Below && rank < totals.Below + totals.Inside;

    private CountTotals Count((int Low, int High) range, int* collection)
    {
        var totals = new CountTotals { Place = collection, Room = range.Low == range.High ? 0 : _collection.Length };
        (_low, _high) = range;
        _totals = &totals;
        Scan(Pass.Count);
        return totals;
    }

    /// <summary>A range that holds the rank in all likelihood; everything if that fits.</summary>
    private (int Low, int High) Sample(long rank, int* collection, int* bins)
    {
        if (_count <= _collection.Length)
            return (0, KeyScan.Infinity - 1);

        var size = (int)Math.Min(_collection.Length, Math.Max(4096, _count / 64));
        for (var i = 0; i < size; i++)
        {
            // Multiples of the golden ratio: spread evenly, in step with no row or kernel.
            var place = Math.BigMul((ulong)i * 0x9E3779B97F4A7C15, (ulong)_count, out _);
            collection[i] = _bits[place] & int.MaxValue;
        }

        var share = (rank + 0.5) / _count;
        var margin = (Margin * Math.Sqrt(size * share * (1 - share))) + Margin;
        var (first, last) = ((int)((size * share) - margin), (int)((size * share) + margin));
        var all = (0, int.MaxValue);
        return (
            first < 0 ? 0 : Select(collection, size, first, all, bins).Key,
            last >= size ? KeyScan.Infinity - 1 : Math.Min(KeyScan.Infinity - 1, Select(collection, size, last, all, bins).Key));
    }

    /// <summary>The key above, from all data if it was not in the collection.</summary>
    private int OrSmallestAbove(int above, int key)
    {
        if (above != KeyScan.None)
            return above;

        (_low, _smallest) = (key, KeyScan.None);
        Scan(Pass.SmallestAbove);
        return _smallest;
    }

    /// <summary>Takes the bin of a histogram of the range that holds the rank.</summary>
    private void Narrow(int* bins, ref (int Low, int High) range, ref long rank)
    {
        (_low, _high) = range;
        _shift = ShiftFor(range);
        _shared = bins;
        new Span<int>(bins, KeyScan.Bins).Clear();
        Scan(Pass.Histogram);
        TakeBin(bins, ref range, ref rank);
    }

    private void Scan(Pass pass)
    {
        _pass = pass;
        var pieces = (int)((_count + PieceLength - 1) / PieceLength);
        if (_crew is not null && Threads > 1 && pieces > 1)
        {
            _crew.Run(this, pieces, Threads);
            return;
        }

        for (var piece = 0; piece < pieces; piece++)
            Run(piece, 0);
    }

    private void AddHistogram(int* bits, int count)
    {
        var own = stackalloc int[KeyScan.Bins];
        new Span<int>(own, KeyScan.Bins).Clear();
        KeyScan.Histogram(bits, count, _low, _high, _shift, own);
        for (var bin = 0; bin < KeyScan.Bins; bin++)
        {
            if (own[bin] != 0)
                Interlocked.Add(ref _shared[bin], own[bin]);
        }
    }

    /// <summary>The key of a rank of a collection and the next one, or none if that is not in it.</summary>
    private static (int Key, int Above) Select(int* keys, int count, long rank, (int Low, int High) range, int* bins)
    {
        long inside = count;
        while (inside > Few && range.Low < range.High)
        {
            var shift = ShiftFor(range);
            new Span<int>(bins, KeyScan.Bins).Clear();
            KeyScan.Histogram(keys, count, range.Low, range.High, shift, bins);
            inside = TakeBin(bins, ref range, ref rank);
        }

        if (range.Low == range.High)
            return (range.Low, rank + 1 < inside ? range.Low : KeyScan.SmallestAbove(keys, count, range.Low));

        var few = stackalloc int[Few];
        var totals = new CountTotals { Place = few, Room = Few };
        KeyScan.Count(keys, count, range.Low, range.High, &totals);
        var sorted = new Span<int>(few, (int)inside);
        sorted.Sort();
        var key = sorted[(int)rank];
        return (key, rank + 1 < inside ? sorted[(int)rank + 1] : KeyScan.SmallestAbove(keys, count, key));
    }

    /// <summary>Makes the range that of the bin that holds the rank, and the rank that in the bin; returns what the bin holds.</summary>
    private static int TakeBin(int* bins, ref (int Low, int High) range, ref long rank)
    {
        var bin = 0;
        for (; rank >= bins[bin]; bin++)
            rank -= bins[bin];
        var shift = ShiftFor(range);
        var low = range.Low + (bin << shift);
        range = (low, (int)Math.Min(range.High, low + (1L << shift) - 1));
        return bins[bin];
    }

    /// <summary>The shift that spreads a range over all bins.</summary>
    private static int ShiftFor((int Low, int High) range) =>
        Math.Max(0, 32 - int.LeadingZeroCount(range.High - range.Low) - int.Log2(KeyScan.Bins));

    private static void Lower(ref int smallest, int candidate)
    {
        var seen = Volatile.Read(ref smallest);
        while (candidate < seen)
        {
            var before = Interlocked.CompareExchange(ref smallest, candidate, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
