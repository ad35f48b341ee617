namespace Pdp.Numerics.Kernels;

/// <summary>What the pieces of one counting pass add up to.</summary>
internal unsafe struct CountTotals
{
    /// <summary>The keys below the range.</summary>
    public long Below;

    /// <summary>The keys in the range.</summary>
    public long Inside;

    /// <summary>The largest of all keys.</summary>
    public int Largest;

    /// <summary>Where keys in the range are collected, in no order.</summary>
    public int* Place;

    /// <summary>How many keys have room there.</summary>
    public int Room;

    /// <summary>How many were brought there, those without room included.</summary>
    public int Collected;

    /// <summary>Adds a piece; from any thread.</summary>
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
