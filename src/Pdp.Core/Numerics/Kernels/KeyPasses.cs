namespace Pdp.Numerics.Kernels;

/// <summary>Passes over keys in memory, a piece at a time, on several threads if there is a runner.</summary>
/// <remarks>The results depend only on the data, not on the threads.</remarks>
internal sealed unsafe class KeyPasses(ParallelRunner? runner) : IParallelWork
{
    /// <summary>The number of keys in a piece, which fits in the second-level cache.</summary>
    private const int PieceLength = 1 << 17;

    private Pass _pass;
    private int* _bits;
    private (int Low, int High) _range;
    private int* _bins;
    private CountTotals* _totals;
    private int _smallest;

    private enum Pass
    {
        Count,
        Largest,
        SmallestAbove,
        Histogram,
    }

    /// <summary>The number of keys.</summary>
    public long Count { get; private set; }

    /// <summary>The number of threads that a pass may use.</summary>
    public int Threads { get; set; } = 1;

    /// <summary>Sets the data for the passes that follow: float32 numbers as bits.</summary>
    public void Over(int* bits, long count)
    {
        _bits = bits;
        Count = count;
    }

    /// <summary>The key at a place.</summary>
    public int At(long place) => _bits[place] & int.MaxValue;

    /// <summary>Counts the keys below a range and in it, and collects those in it.</summary>
    /// <param name="range">The range.</param>
    /// <param name="place">Where they are collected.</param>
    /// <param name="room">How many keys fit there.</param>
    public CountTotals CountIn((int Low, int High) range, int* place, int room)
    {
        var totals = new CountTotals { Place = place, Room = room };
        _range = range;
        _totals = &totals;
        Scan(Pass.Count);
        return totals;
    }

    /// <summary>The largest key.</summary>
    public int Largest()
    {
        var totals = default(CountTotals);
        _totals = &totals;
        Scan(Pass.Largest);
        return totals.Largest;
    }

    /// <summary>The smallest key above another; <see cref="KeyScan.None"/> if there is none.</summary>
    public int SmallestAbove(int key)
    {
        (_range, _smallest) = ((key, key), KeyScan.None);
        Scan(Pass.SmallestAbove);
        return _smallest;
    }

    /// <summary>Counts the keys of a range in bins.</summary>
    public void Histogram((int Low, int High) range, int* bins)
    {
        _range = range;
        _bins = bins;
        new Span<int>(bins, KeyScan.Bins).Clear();
        Scan(Pass.Histogram);
    }

    /// <inheritdoc/>
    public void Run(int piece, int worker)
    {
        var bits = _bits + ((long)piece * PieceLength);
        var count = (int)Math.Min(PieceLength, Count - ((long)piece * PieceLength));
        switch (_pass)
        {
            case Pass.Count:
                KeyScan.Count(bits, count, _range.Low, _range.High, _totals);
                break;
            case Pass.Largest:
                _totals->Add(0, 0, KeyScan.Largest(bits, count));
                break;
            case Pass.SmallestAbove:
                Lower(ref _smallest, KeyScan.SmallestAbove(bits, count, _range.Low));
                break;
            default:
                AddHistogram(bits, count);
                break;
        }
    }

    private void Scan(Pass pass)
    {
        _pass = pass;
        var pieces = (int)((Count + PieceLength - 1) / PieceLength);
        if (runner is not null && Threads > 1 && pieces > 1)
        {
            runner.Run(this, pieces, Threads);
            return;
        }

        for (var piece = 0; piece < pieces; piece++)
            Run(piece, 0);
    }

    private void AddHistogram(int* bits, int count)
    {
        var own = stackalloc int[KeyScan.Bins];
        new Span<int>(own, KeyScan.Bins).Clear();
        KeyScan.Histogram(bits, count, _range.Low, _range.High, KeyBins.ShiftFor(_range), own);
        for (var bin = 0; bin < KeyScan.Bins; bin++)
        {
            if (own[bin] != 0)
                Interlocked.Add(ref _bins[bin], own[bin]);
        }
    }

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
