using System.Diagnostics;
using static TorchSharp.torch;

namespace Pdp.Numerics.Kernels;

/// <summary>Finds two neighbouring order statistics exactly: the key at a rank and the key at the next rank.</summary>
/// <remarks>
/// <para>
/// A pass over the data counts the keys below a bracket and collects those in it. If the rank is among them, the small collection is all
/// that is searched further. The first bracket comes from a sample, later ones from the last step. If the bracket misses the rank or holds
/// too many keys, a histogram of the range that contains the rank narrows it by a factor of 2048, three times at most, as keys have 31
/// bits.
/// </para>
/// <para>The result depends only on the data, not on bracket, sample or threads. Owns its scratch memory; not thread safe.</para>
/// </remarks>
internal sealed unsafe class RankSearch
{
    /// <summary>The fewest keys in a range from which to estimate how densely they lie there.</summary>
    private const int FewestForDensity = 64;

    /// <summary>For fewer numbers, a tensor operation is as fast.</summary>
    private const int FewestSearched = 1 << 13;

    /// <summary>The margin around the rank in the sample, in standard deviations of that rank.</summary>
    private const int Margin = 4;

    private readonly KeyPasses _passes;
    private readonly int[] _collection;
    private readonly int[] _bins = new int[KeyScan.Bins];

    /// <summary>Makes a search.</summary>
    /// <param name="room">How many keys can be collected.</param>
    /// <param name="runner">Runs passes over many keys on several threads; null for one thread.</param>
    public RankSearch(int room, ParallelRunner? runner)
    {
        _passes = new(runner);
        _collection = GC.AllocateUninitializedArray<int>(room);
    }

    /// <summary>The number at a rank, counted from 1, and the one at the next rank.</summary>
    /// <param name="numbers">Numbers of one group, <c>[1, members]</c>.</param>
    /// <param name="rank">The rank, in [1, members).</param>
    /// <returns>Null if the search doesn't support the tensor, or if a number is negative or not finite.</returns>
    public static (float Lower, float Upper)? Of(Tensor numbers, long rank)
    {
        var count = numbers.numel();
        if (!NativeTensor.IsSupported || numbers.shape[0] != 1 || count is < FewestSearched or > int.MaxValue)
            return null;
        var bits = (int*)NativeTensor.Elements(numbers.Handle, count);
        if (bits is null)
            return null;

        var search = new RankSearch((int)Math.Clamp(count / 32, FewestSearched, 1 << 18), runner: null);
        var isFound = search.Find(bits, count, rank - 1, new KeyBracket(), out var key, out var above) && !KeyScan.HasSigns(bits, count);
        GC.KeepAlive(numbers);
        return isFound ? (BitConverter.Int32BitsToSingle(key), BitConverter.Int32BitsToSingle(above)) : null;
    }

    /// <summary>The number of threads that a pass may use.</summary>
    public int Threads
    {
        get => _passes.Threads;
        set => _passes.Threads = value;
    }

    /// <summary>The largest key of the data in which a rank was found last.</summary>
    public int LargestKey { get; private set; }

    /// <summary>Finds the key at a rank and the key at the next rank.</summary>
    /// <param name="bits">Float32 numbers as bits.</param>
    /// <param name="count">The number of them.</param>
    /// <param name="rank">The rank by magnitude, counted from 0; below count − 1.</param>
    /// <param name="bracket">Where the keys are expected; it learns where they were.</param>
    /// <param name="key">The key at the rank.</param>
    /// <param name="above">The key at the next rank.</param>
    /// <returns>False if a number is not finite.</returns>
    public bool Find(int* bits, long count, long rank, KeyBracket bracket, out int key, out int above)
    {
        Debug.Assert(rank >= 0 && rank < count - 1, "a rank and one above it");

        _passes.Over(bits, count);
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

            var dense = Enclose(rank, ref range, ref totals, collection, bins);
            LargestKey = totals.Largest;
            if (LargestKey >= KeyScan.Infinity)
                return false;

            (key, above) = range.Low == range.High
                ? (range.Low, rank + 1 < totals.Below + totals.Inside ? range.Low : KeyScan.None)
                : KeyBins.Select(collection, (int)totals.Inside, (int)(rank - totals.Below), range, bins);
            above = OrSmallestAbove(above, key);
            bracket.Learn(key, above, count, dense, _collection.Length);
            return true;
        }
    }

    /// <summary>The largest key: at least <see cref="KeyScan.Infinity"/> if a number is not finite.</summary>
    public int Largest(int* bits, long count)
    {
        _passes.Over(bits, count);
        return _passes.Largest();
    }

    /// <summary>Narrows a range until it holds the rank, and either a single key or no more keys than can be collected.</summary>
    /// <returns>The last range that held enough keys to estimate their density. A narrow range beside a gap holds only a few.</returns>
    private (int Low, int High, long Inside) Enclose(
        long rank, ref (int Low, int High) range, ref CountTotals totals, int* collection, int* bins)
    {
        var dense = (range.Low, range.High, totals.Inside);
        while (totals.Largest < KeyScan.Infinity
            && !(Holds(totals, rank) && (totals.Inside <= _collection.Length || range.Low == range.High)))
        {
            var isBelow = rank < totals.Below;
            var isAbove = rank >= totals.Below + totals.Inside;
            var within = isBelow ? rank : isAbove ? rank - totals.Below - totals.Inside : rank - totals.Below;
            range = isBelow ? (0, range.Low - 1) : isAbove ? (range.High + 1, totals.Largest) : range;
            _passes.Histogram(range, bins);
            KeyBins.Take(bins, ref range, ref within);
            totals = Count(range, collection);
            if (isBelow || isAbove || totals.Inside >= FewestForDensity)
                dense = (range.Low, range.High, totals.Inside);
        }

        return dense;
    }

    private static bool Holds(in CountTotals totals, long rank) => rank >= totals.Below && rank < totals.Below + totals.Inside;

    private CountTotals Count((int Low, int High) range, int* collection) =>
        _passes.CountIn(range, collection, range.Low == range.High ? 0 : _collection.Length);

    /// <summary>The next key; from all data if the collection doesn't contain it.</summary>
    private int OrSmallestAbove(int above, int key) => above == KeyScan.None ? _passes.SmallestAbove(key) : above;

    /// <summary>A range that very likely holds the rank; the whole range if all keys can be collected.</summary>
    private (int Low, int High) Sample(long rank, int* collection, int* bins)
    {
        var count = _passes.Count;
        if (count <= _collection.Length)
            return (0, KeyScan.Infinity - 1);

        var size = (int)Math.Min(_collection.Length, Math.Max(4096, count / 64));
        for (var i = 0; i < size; i++)
        {
            // Multiples of the golden ratio spread evenly and don't line up with rows or kernels.
            collection[i] = _passes.At((long)Math.BigMul((ulong)i * 0x9E3779B97F4A7C15, (ulong)count, out _));
        }

        var share = (rank + 0.5) / count;
        var margin = (Margin * Math.Sqrt(size * share * (1 - share))) + Margin;
        var (first, last) = ((int)((size * share) - margin), (int)((size * share) + margin));
        var all = (0, int.MaxValue);
        return (
            first < 0 ? 0 : KeyBins.Select(collection, size, first, all, bins).Key,
            last >= size ? KeyScan.Infinity - 1 : Math.Min(KeyScan.Infinity - 1, KeyBins.Select(collection, size, last, all, bins).Key));
    }
}
