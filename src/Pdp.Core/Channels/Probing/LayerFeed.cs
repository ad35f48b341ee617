namespace Pdp.Channels.Probing;

/// <summary>Where the channels of a layer arrive.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Units">The units in which its channels can go: whole groups where a grouped convolution makes or reads them.</param>
/// <param name="Reads">The readers that see its channels.</param>
/// <param name="Refusal">Why its channels can't be removed; null if they can.</param>
internal sealed record LayerFeed(ProbedLayer Layer, long Units, IReadOnlyList<LayerRead> Reads, string? Refusal)
{
    /// <summary>Judges by the readers whether the channels can be removed.</summary>
    public static LayerFeed Of(ProbedLayer layer, long units, IReadOnlyList<LayerRead> reads) => new(layer, units, reads, RefusalOf(units, reads));

    private static string? RefusalOf(long units, IReadOnlyList<LayerRead> reads) =>
        units == 1 ? "its only channel, or group of channels, has to stay"
        : reads.FirstOrDefault(read => !read.IsInOrder) is { } mixed ? $"{mixed.Reader.Name} sees its channels mixed or in another order"
        : reads.Any(read => read.Reader.Kind == ReaderKind.Inputs) ? null
        : "no layer reads its channels one by one: they leave the model, or something without weights mixes them";
}
