namespace Pdp.Numerics.Kernels;

/// <summary>The totals of a counting pass over all its pieces.</summary>
internal unsafe struct CountTotals
{
    /// <summary>The number of keys below the range.</summary>
    public long Below;

    /// <summary>The number of keys in the range.</summary>
    public long Inside;

    /// <summary>The largest of all keys.</summary>
    public int Largest;

    /// <summary>Where the keys in the range are collected, in no particular order.</summary>
    public int* Place;

    /// <summary>The number of keys that fit there.</summary>
    public int Room;

    /// <summary>The number of keys found for it, including those that no longer fit.</summary>
    public int Collected;

    /// <summary>Adds the totals of a piece; any thread may call it.</summary>
    public void Add(long below, long inside, int largest)
    {
        Interlocked.Add(ref Below, below);
        Interlocked.Add(ref Inside, inside);
        var seen = Volatile.Read(ref Largest);
        while (largest > seen)
        {
            var before = Interlocked.CompareExchange(ref Largest, largest, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
