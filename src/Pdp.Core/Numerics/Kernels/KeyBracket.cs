namespace Pdp.Numerics.Kernels;

/// <summary>The range in which the key of a rank is expected at the next step: around the last one, as wide as the key moves.</summary>
/// <remarks>A wrong guess costs another pass, but never changes the result.</remarks>
internal sealed class KeyBracket
{
    /// <summary>One in this many keys should be in the bracket. Collecting them is then a small part of the pass.</summary>
    private const int Share = 1024;

    /// <summary>The fewest keys that should be in the bracket. With fewer, a wider bracket costs nothing.</summary>
    private const int Fewest = 64;

    private int _key;
    private long _movement;
    private long _most = KeyScan.Infinity;

    /// <summary>Whether a key has been found before.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>The lowest key expected.</summary>
    public int Low { get; private set; }

    /// <summary>The highest key expected.</summary>
    public int High { get; private set; }

    /// <summary>Learns from a key that was found, the one above it, and the number of keys in a range around them.</summary>
    public void Learn(int key, int above, long count, (int Low, int High, long Inside) range, int room)
    {
        // Movement is remembered for some steps, so that a step with little of it doesn't narrow the bracket too far.
        _movement = Math.Max(IsKnown ? Math.Abs((long)key - _key) : 0, _movement - (_movement / 4));
        var span = range.High - (long)range.Low + 1;
        var reach = Math.Max(4 * _movement, span * Math.Max(Fewest, count / Share) / (2 * range.Inside));
        // At most half of the room, or nothing where ties alone exceed it, as nothing is collected then.
        var most = span * room / (4 * range.Inside);
        // Too many keys cost two passes, a miss costs one, so a width that held too many is not tried again soon.
        _most = range.Inside > room ? most : Math.Min(_most + (_most / 32) + 1, KeyScan.Infinity);
        reach = Math.Min(reach, Math.Min(most, _most));
        (_key, IsKnown) = (key, true);
        Low = (int)Math.Max(0, key - reach);
        High = (int)Math.Min(KeyScan.Infinity, above + reach);
    }
}
