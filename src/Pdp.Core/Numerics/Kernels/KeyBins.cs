namespace Pdp.Numerics.Kernels;

/// <summary>Ranks by histograms: each narrows the range in which a rank must be by a factor of <see cref="KeyScan.Bins"/>.</summary>
internal static unsafe class KeyBins
{
    /// <summary>Collections this small are sorted.</summary>
    private const int Few = 64;

    /// <summary>The shift that spreads a range over all bins.</summary>
    public static int ShiftFor((int Low, int High) range) =>
        Math.Max(0, 32 - int.LeadingZeroCount(range.High - range.Low) - int.Log2(KeyScan.Bins));

    /// <summary>Makes the range that of the bin that holds the rank, and the rank that in the bin; returns what the bin holds.</summary>
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

    /// <summary>The key of a rank of a collection and the next one, or none if that is not in it.</summary>
    /// <param name="keys">The collection.</param>
    /// <param name="count">Its keys.</param>
    /// <param name="rank">The rank, counted from 0.</param>
    /// <param name="range">The range that they are in.</param>
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
