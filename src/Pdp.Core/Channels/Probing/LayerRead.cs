namespace Pdp.Channels.Probing;

/// <summary>A reader that sees the channels of a layer.</summary>
/// <param name="Reader">The reader.</param>
/// <param name="Offset">The slice at which channel 0 begins.</param>
/// <param name="Block">The slices that one unit of channels fills.</param>
/// <param name="Count">The slices that all channels fill.</param>
/// <param name="IsInOrder">Whether the slices are blocks of the units 0, 1, 2, …, one behind the other.</param>
internal sealed record LayerRead(Reader Reader, long Offset, long Block, long Count, bool IsInOrder)
{
    /// <summary>Checks that the slices are blocks of the units 0, 1, 2, …, one behind the other.</summary>
    /// <param name="units">The layer's units.</param>
    /// <param name="reader">The reader.</param>
    /// <param name="decoded">What each of its slices depends on.</param>
    /// <param name="fedByOdd">The slices that the layer's odd units feed; the even ones lie between them.</param>
    public static LayerRead Of(long units, Reader reader, Decoded[] decoded, bool[] fedByOdd)
    {
        var (block, rest) = Math.DivRem(fedByOdd.Count(isFed => isFed), units / 2);
        var (offset, count) = (Array.IndexOf(fedByOdd, true) - block, block * units);
        var bits = ChannelCode.Bits(units);
        var isInOrder = rest == 0
            && offset >= 0
            && offset + count <= fedByOdd.Length
            && Enumerable.Range(0, fedByOdd.Length).All(i => IsRight(i - offset));
        return new(reader, offset, block, count, isInOrder);

        bool IsRight(long i)
        {
            var isInside = i >= 0 && i < count;
            return fedByOdd[i + offset] == (isInside && i / block % 2 == 1) && (!isInside || decoded[i + offset] == new Decoded(bits, i / block));
        }
    }

    /// <summary>Whether both see the same slices; what is seen in part only can't be.</summary>
    public bool Overlaps(LayerRead other) => Reader == other.Reader && Offset < other.Offset + other.Count && other.Offset < Offset + Count;
}
