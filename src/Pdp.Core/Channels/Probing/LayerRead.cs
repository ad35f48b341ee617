namespace Pdp.Channels.Probing;

/// <summary>A reader that sees the channels of a layer one by one and in order.</summary>
/// <param name="Reader">The reader.</param>
/// <param name="Offset">The slice at which channel 0 begins.</param>
/// <param name="Block">The slices that one channel fills.</param>
/// <param name="Count">The slices that all channels fill.</param>
internal sealed record LayerRead(Reader Reader, long Offset, long Block, long Count)
{
    /// <summary>Checks that the slices are blocks of the channels 0, 1, 2, …, one behind the other; null if not.</summary>
    public static LayerRead? Of(ProbedLayer layer, Reader reader, Decoded[] decoded, bool[] fed)
    {
        var offset = Array.IndexOf(fed, true);
        var count = fed.Count(isFed => isFed);
        var (block, rest) = Math.DivRem(count, layer.Outputs);
        if (rest != 0 || Array.LastIndexOf(fed, true) != offset + count - 1)
            return null;

        var bits = ChannelCode.Bits(layer.Outputs);
        for (var i = 0; i < count; i++)
        {
            if (decoded[offset + i] != new Decoded(bits, i / block))
                return null;
        }

        return new(reader, offset, block, count);
    }

    /// <summary>Whether both see the same slices; what is seen in part only can't be.</summary>
    public bool Overlaps(LayerRead other) => Reader == other.Reader && Offset < other.Offset + other.Count && other.Offset < Offset + Count;
}
