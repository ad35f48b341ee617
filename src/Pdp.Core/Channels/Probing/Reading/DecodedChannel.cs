namespace Pdp.Channels.Probing.Reading;

/// <summary>The channel that a slice depends on, decoded from the passes in which its gradient was zero.</summary>
/// <param name="Bits">The number of bits that the passes identify; -1 if no single channel explains the zeros.</param>
/// <param name="Index">The channel's index in layers with this number of bits.</param>
internal readonly record struct DecodedChannel(int Bits, long Index)
{
    /// <summary>Whether the slice depends on no single channel: it reads the model's input, or a mixture.</summary>
    public bool IsOpen => Bits == 0;

    /// <summary>Decodes the zeros of a slice over all passes.</summary>
    /// <param name="isZero">
    /// For each bit, whether the slice was zero while indices with the bit clear, and with the bit set, were zeroed.
    /// </param>
    public static DecodedChannel Of(IReadOnlyList<(bool Clear, bool Set)> isZero)
    {
        var bits = isZero.TakeWhile(pair => pair.Clear != pair.Set).Count();
        if (isZero.Skip(bits).Any(pair => pair.Clear || pair.Set))
            return new(-1, 0);

        var channel = Enumerable.Range(0, bits).Where(bit => isZero[bit].Set).Sum(bit => 1L << bit);
        return new(bits, channel);
    }
}
