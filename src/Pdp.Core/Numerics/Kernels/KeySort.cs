namespace Pdp.Numerics.Kernels;

/// <summary>Sorts the magnitudes of float32 numbers by their bits, which are ordered like non-negative numbers.</summary>
internal static class KeySort
{
    /// <summary>Bits of a digit; three digits make a key of 31 bits.</summary>
    private const int DigitBits = 11;

    private const int Digits = 1 << DigitBits;

    /// <summary>Sorts keys, the smallest first, digit by digit from the lowest on.</summary>
    /// <param name="keys">The keys, not negative.</param>
    /// <returns>The same keys in order, in one of two arrays that take turns.</returns>
    public static int[] Ascending(int[] keys)
    {
        var (from, to) = (keys, GC.AllocateUninitializedArray<int>(keys.Length));
        Span<int> places = stackalloc int[Digits];
        for (var shift = 0; shift < 31; shift += DigitBits)
        {
            PlacesOf(from, shift, places);
            foreach (var key in from)
                to[places[DigitOf(key, shift)]++] = key;
            (from, to) = (to, from);
        }

        return from;
    }

    /// <summary>The place of the first key with each digit.</summary>
    private static void PlacesOf(int[] keys, int shift, Span<int> places)
    {
        places.Clear();
        foreach (var key in keys)
            places[DigitOf(key, shift)]++;
        var next = 0;
        foreach (ref var place in places)
            (place, next) = (next, next + place);
    }

    private static int DigitOf(int key, int shift) => (key >> shift) & (Digits - 1);
}
