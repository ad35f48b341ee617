namespace Pdp.Numerics.Kernels;

/// <summary>
/// Finds ranks by histograms, each of which narrows the range that contains the rank by a factor of <see cref="KeyScan.Bins"/>.
/// </summary>
internal static unsafe class KeyBins
{
    /// <summary>Collections of at most this size are sorted.</summary>
    private const int Few = 64;

    /// <summary>The shift that spreads a range over all bins.</summary>
    public static int ShiftFor((int Low, int High) range) =>
        Math.Max(0, 32 - int.LeadingZeroCount(range.High - range.Low) - int.Log2(KeyScan.Bins));

    /// <summary>
    /// Narrows the range to the bin that contains the rank, makes the rank relative to it, and returns the number of keys in it.
    /// </summary>
    public static int Take(int* bins, ref (int Low, int High) range, ref long rank)
    {
        var bin = 0;
        for (; rank >= bins[bin]; bin++)
            rank -= bins[bin];
        var shift = ShiftFor(range);
        var low = range.Low + (bin << shift);
        range = (low, (int)Math.Min(range.High, low + (1L << shift) - 1));
        return bins[bin];
    }

    /// <summary>The key at a rank in a collection, and the next key, or <see cref="KeyScan.None"/> if the collection has none.</summary>
    /// <param name="keys">The collection.</param>
    /// <param name="count">The number of its keys.</param>
    /// <param name="rank">The rank, counted from 0.</param>
    /// <param name="range">The range that contains them.</param>
    /// <param name="bins">Scratch memory.</param>
    public static (int Key, int Above) Select(int* keys, int count, long rank, (int Low, int High) range, int* bins)
    {
        long inside = count;
        while (inside > Few && range.Low < range.High)
        {
            new Span<int>(bins, KeyScan.Bins).Clear();
            KeyScan.Histogram(keys, count, range.Low, range.High, ShiftFor(range), bins);
            inside = Take(bins, ref range, ref rank);
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
}
