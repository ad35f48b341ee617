namespace Pdp.Channels.Probing;

/// <summary>Where the channels of a layer arrive.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Reads">The readers that see its channels one by one and in order.</param>
/// <param name="Refusal">Why its channels can't be removed; null if they can.</param>
internal sealed record LayerFeed(ProbedLayer Layer, IReadOnlyList<LayerRead> Reads, string? Refusal)
{
    /// <summary>Reads the feed of a layer off the slices that sound with it.</summary>
    public static LayerFeed Of(ProbedLayer layer, IReadOnlyList<Reader> readers, Decoded[][] decoded, bool[][] fed)
    {
        if (layer.Outputs == 1)
            return new(layer, [], "its only channel has to stay");

        var reads = new List<LayerRead>();
        foreach (var (r, reader) in readers.Index())
        {
            if (!fed[r].Contains(true))
                continue;
            if (LayerRead.Of(layer, reader, decoded[r], fed[r]) is not { } read)
                return new(layer, [], $"{reader.Name} sees its channels mixed or in another order");
            reads.Add(read);
        }

        return reads.Any(read => read.Reader.Kind == ReaderKind.Inputs)
            ? new(layer, reads, null)
            : new(layer, reads, "no layer reads its channels one by one: they leave the model, or something without weights mixes them");
    }
}
