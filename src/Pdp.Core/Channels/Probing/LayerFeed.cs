namespace Pdp.Channels.Probing;

/// <summary>Where the channels of a layer arrive.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Units">The units in which its channels can go: whole groups where a grouped convolution makes or reads them.</param>
/// <param name="Reads">The readers that see its channels.</param>
/// <param name="Refusal">Why its channels can't be removed; null if they can.</param>
internal sealed record LayerFeed(ProbedLayer Layer, long Units, IReadOnlyList<LayerRead> Reads, string? Refusal)
{
    /// <summary>Whether no layer was seen to read the channels.</summary>
    public bool IsUnread => !Reads.Any(read => read.Reader.Kind == ReaderKind.Inputs);

    /// <summary>Judges by the readers whether the channels can be removed.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="units">The units in which its channels can go.</param>
    /// <param name="reads">The readers.</param>
    /// <param name="hint">Why no layer reads the channels, if that is known.</param>
    public static LayerFeed Of(ProbedLayer layer, long units, IReadOnlyList<LayerRead> reads, string? hint) => new(layer, units, reads, RefusalOf(units, reads, hint));

    private static string? RefusalOf(long units, IReadOnlyList<LayerRead> reads, string? hint) =>
        units == 1 ? "its only channel, or group of channels, has to stay"
        : reads.FirstOrDefault(read => read.Reader.Kind == ReaderKind.Bare) is { } bare ? $"{bare.Reader.Name} sees its channels too, and is no layer's: what it reads of them can't be cut"
        : reads.FirstOrDefault(read => !read.IsInOrder) is { } mixed ? $"{mixed.Reader.Name} sees its channels mixed or in another order"
        : reads.Any(read => read.Reader.Kind == ReaderKind.Inputs) ? null
        : hint ?? "no layer reads its channels one by one: they leave the model, or something without weights mixes them";
}
