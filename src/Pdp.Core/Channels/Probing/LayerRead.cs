namespace Pdp.Channels.Probing;

/// <summary>A reader of a layer's channels.</summary>
/// <param name="Reader">The reader.</param>
/// <param name="Offset">The slice where channel 0 starts.</param>
/// <param name="Block">The number of slices of one unit of channels.</param>
/// <param name="Count">The number of slices of all channels.</param>
/// <param name="IsInOrder">Whether the slices are consecutive blocks of the units 0, 1, 2, ….</param>
internal sealed record LayerRead(Reader Reader, long Offset, long Block, long Count, bool IsInOrder)
{
    /// <summary>Finds the slices of the units, and checks that they are consecutive blocks of the units 0, 1, 2, ….</summary>
    /// <param name="units">The layer's units.</param>
    /// <param name="reader">The reader.</param>
    /// <param name="decoded">The channel that each of its slices depends on.</param>
    /// <param name="fedByOdd">Which slices the layer's odd units feed; those of the even units lie between them.</param>
    public static LayerRead Of(long units, Reader reader, DecodedChannel[] decoded, bool[] fedByOdd)
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
            return fedByOdd[i + offset] == (isInside && i / block % 2 == 1)
                && (!isInside || decoded[i + offset] == new DecodedChannel(bits, i / block));
        }
    }

    /// <summary>Whether both share slices.</summary>
    public bool Overlaps(LayerRead other) => Reader == other.Reader && Offset < other.Offset + other.Count && other.Offset < Offset + Count;
}
