namespace Pdp.Channels.Probing;

/// <summary>A reader that sees the channels of a layer.</summary>
/// <param name="Reader">The reader.</param>
/// <param name="Offset">The slice at which channel 0 begins.</param>
/// <param name="Block">The slices that one unit of channels fills.</param>
/// <param name="Count">The slices that all channels fill.</param>
/// <param name="IsInOrder">Whether the slices are blocks of the units 0, 1, 2, …, one behind the other.</param>
internal sealed record LayerRead(Reader Reader, long Offset, long Block, long Count, bool IsInOrder)
{
    public static LayerRead Of(long units, Reader reader, Decoded[] decoded, bool[] fed)
    {
        var offset = Array.IndexOf(fed, true);
        var count = fed.Count(isFed => isFed);
        var (block, rest) = Math.DivRem(count, units);
        var bits = ChannelCode.Bits(units);
        var isInOrder = rest == 0
            && Array.LastIndexOf(fed, true) == offset + count - 1
            && Enumerable.Range(0, count).All(i => decoded[offset + i] == new Decoded(bits, i / block));
        return new(reader, offset, block, count, isInOrder);
    }

    /// <summary>Whether both see the same slices; what is seen in part only can't be.</summary>
    public bool Overlaps(LayerRead other) => Reader == other.Reader && Offset < other.Offset + other.Count && other.Offset < Offset + Count;
}
