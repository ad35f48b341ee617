namespace Pdp.Channels.Probing;

/// <summary>The readers that a layer's channels feed.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Units">
/// The units in which its channels can be removed: whole groups if a grouped convolution produces or reads them.
/// </param>
/// <param name="Reads">The readers of its channels.</param>
/// <param name="Refusal">Why its channels can't be removed; null if they can.</param>
internal sealed record LayerFeed(ProbedLayer Layer, long Units, IReadOnlyList<LayerRead> Reads, string? Refusal)
{
    /// <summary>Whether no layer was found to read the channels.</summary>
    public bool IsUnread => !Reads.Any(read => read.Reader.Kind == ReaderKind.Inputs);

    /// <summary>Decides from the readers whether the channels can be removed.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="units">The units in which its channels can be removed.</param>
    /// <param name="reads">The readers.</param>
    /// <param name="hint">Why no layer reads the channels, if that is known.</param>
    public static LayerFeed Of(ProbedLayer layer, long units, IReadOnlyList<LayerRead> reads, string? hint) =>
        new(layer, units, reads, RefusalOf(units, reads, hint));

    private static string? RefusalOf(long units, IReadOnlyList<LayerRead> reads, string? hint) =>
        units == 1 ? "its only channel, or group of channels, can't be removed"
        : reads.FirstOrDefault(read => read.Reader.Kind == ReaderKind.Other) is { } other
            ? $"{other.Reader.Name} reads its channels too but belongs to no layer, so its slices can't be removed"
        : reads.FirstOrDefault(read => !read.IsInOrder) is { } mixed
            ? $"{mixed.Reader.Name} reads its channels mixed or in another order"
        : reads.Any(read => read.Reader.Kind == ReaderKind.Inputs) ? null
        : hint ?? "no layer reads its channels one by one: they are outputs of the model, or an operation without weights mixes them";
}
