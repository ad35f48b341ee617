namespace Pdp.Channels.Probing;

/// <summary>The channel that a slice depends on, read from the passes in which it was silent.</summary>
/// <param name="Bits">The bits of the index that the passes tell; -1 if no single channel explains the silence.</param>
/// <param name="PerChannel">The channel's index in layers of so many bits.</param>
internal readonly record struct Decoded(int Bits, long PerChannel)
{
    /// <summary>Never silent alone: it reads the model's input, or a mixture.</summary>
    public bool IsOpen => Bits == 0;

    /// <summary>Decodes the silence of a slice over all passes.</summary>
    /// <param name="silent">For each bit the silence while indices with the bit clear, and while those with it set, were silenced.</param>
    public static Decoded Of(IReadOnlyList<(bool Clear, bool Set)> silent)
    {
        var bits = silent.TakeWhile(pair => pair.Clear != pair.Set).Count();
        if (silent.Skip(bits).Any(pair => pair.Clear || pair.Set))
            return new(-1, 0);

        var channel = Enumerable.Range(0, bits).Where(bit => silent[bit].Set).Sum(bit => 1L << bit);
        return new(bits, channel);
    }
}
