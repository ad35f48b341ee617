namespace Pdp.Samples;

/// <summary>
/// SplitMix64 (Steele, Lea and Flood 2014), seeded by numbers that say what it is for: the same seed, epoch and picture
/// give the same draws, in any order and after any number of restarts.
/// </summary>
internal struct SplitMix
{
    private ulong _state;

    public SplitMix(long seed, long epoch, long index)
    {
        _state = (ulong)seed;
        _state = Next() ^ (ulong)epoch;
        _state = Next() ^ (ulong)index;
    }

    /// <summary>A whole number in [0, <paramref name="end"/>).</summary>
    public int Below(int end) => (int)Math.BigMul(Next(), (ulong)end, out _);

    /// <summary>A number in [0, 1), a multiple of 2⁻⁵³.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>Shuffles items so that each order is equally likely (Fisher and Yates).</summary>
    public void Shuffle<T>(T[] items)
    {
        for (var last = items.Length - 1; last > 0; last--)
        {
            var other = Below(last + 1);
            (items[last], items[other]) = (items[other], items[last]);
        }
    }

    private ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
