namespace Pdp.Channels.Probing.Reading;

/// <summary>A reader of a layer's channels.</summary>
/// <param name="units">The number of units of the layer's channels.</param>
/// <param name="Reader">The reader.</param>
/// <param name="Offset">The slice where channel 0 starts.</param>
/// <param name="Block">The number of slices of one unit of channels in each part.</param>
/// <param name="Parts">
/// The number of parts, each with a block of every unit; above 1 if the reader sees several parts of the channels, or the same ones again.
/// </param>
/// <param name="Count">The number of slices of all channels.</param>
/// <param name="IsInOrder">Whether the slices of each part are consecutive blocks of the units 0, 1, 2, ….</param>
internal sealed record LayerRead(long units, Reader Reader, long Offset, long Block, long Parts, long Count, bool IsInOrder)
{
    private readonly long _units = units;

    /// <summary>Finds the slices of the units, and checks that they are consecutive blocks of the units 0, 1, 2, ….</summary>
    /// <param name="units">The number of units of the layer's channels.</param>
    /// <param name="reader">The reader.</param>
    /// <param name="decoded">The channel that each of its slices depends on.</param>
    /// <param name="fedByOdd">Which slices the layer's odd units feed; those of the even units lie between them.</param>
    public static LayerRead Of(long units, Reader reader, DecodedChannel[] decoded, bool[] fedByOdd)
    {
        var slices = fedByOdd.Count(isFed => isFed) / (units / 2);
        return Enumerable.Range(1, (int)Math.Max(slices, 1)).Where(parts => slices % parts == 0)
            .Select(parts => Of(units, parts, reader, decoded, fedByOdd)).FirstOrDefault(read => read.IsInOrder)
            ?? Of(units, parts: 1, reader, decoded, fedByOdd);
    }

    /// <summary>Whether both share slices.</summary>
    public bool Overlaps(LayerRead other) => Reader == other.Reader && Offset < other.Offset + other.Count && other.Offset < Offset + Count;

    /// <summary>Whether all shared slices belong to the same units.</summary>
    public bool Agrees(LayerRead other)
    {
        if (!Overlaps(other))
            return true;

        var (first, last) = (Math.Max(Offset, other.Offset), Math.Min(Offset + Count, other.Offset + other.Count));
        return Enumerable.Range(0, (int)(last - first)).All(i => UnitAt(first + i) == other.UnitAt(first + i));
    }

    private static LayerRead Of(long units, long parts, Reader reader, DecodedChannel[] decoded, bool[] fedByOdd)
    {
        var (block, rest) = Math.DivRem(fedByOdd.Count(isFed => isFed), units / 2 * parts);
        var (offset, count) = (Array.IndexOf(fedByOdd, true) - block, block * units * parts);
        var bits = ChannelCode.Bits(units);
        var isInOrder = rest == 0
            && offset >= 0
            && offset + count <= fedByOdd.Length
            && Enumerable.Range(0, fedByOdd.Length).All(i => IsRight(i - offset));
        return new(units, reader, offset, block, parts, count, isInOrder);

        bool IsRight(long i)
        {
            var isInside = i >= 0 && i < count;
            var unit = isInside ? i / block % units : 0;
            return fedByOdd[i + offset] == (unit % 2 == 1) && (!isInside || decoded[i + offset] == new DecodedChannel(bits, unit));
        }
    }

    private long UnitAt(long slice) => (slice - Offset) / Block % _units;
}
