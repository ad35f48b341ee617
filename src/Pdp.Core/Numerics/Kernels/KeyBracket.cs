namespace Pdp.Numerics.Kernels;

/// <summary>Where a rank's key is expected at the next step: around the last one, as wide as it moves.</summary>
/// <remarks>A guess that is wrong costs a pass, never the result.</remarks>
internal sealed class KeyBracket
{
    /// <summary>The share of the keys that the bracket should hold: their collection is then a small part of the pass.</summary>
    private const int Share = 1024;

    /// <summary>The fewest keys that it should hold, below which a wider bracket costs nothing.</summary>
    private const int Fewest = 64;

    private int _key;
    private long _movement;
    private long _most = KeyScan.Infinity;

    /// <summary>Whether there is a last key.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>The lowest key expected.</summary>
    public int Low { get; private set; }

    /// <summary>The highest key expected.</summary>
    public int High { get; private set; }

    /// <summary>Takes a key and the one above it as found, with a range around them that held so many keys.</summary>
    public void Learn(int key, int above, long count, (int Low, int High, long Inside) range, int room)
    {
        // Movement is remembered for some steps, so that a quiet one doesn't narrow the bracket too far.
        _movement = Math.Max(IsKnown ? Math.Abs((long)key - _key) : 0, _movement - (_movement / 4));
        var span = range.High - (long)range.Low + 1;
        var reach = Math.Max(4 * _movement, span * Math.Max(Fewest, count / Share) / (2 * range.Inside));
        // Half of the room; nothing where ties alone outnumber it, as there is nothing to collect then.
        var most = span * room / (4 * range.Inside);
        // Too many keys cost two passes, a miss costs one: what held too many is not tried again soon.
        _most = range.Inside > room ? most : Math.Min(_most + (_most / 32) + 1, KeyScan.Infinity);
        reach = Math.Min(reach, Math.Min(most, _most));
        (_key, IsKnown) = (key, true);
        Low = (int)Math.Max(0, key - reach);
        High = (int)Math.Min(KeyScan.Infinity, above + reach);
    }
}
