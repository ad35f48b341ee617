using Pdp.Channels.Probing.Running;

namespace Pdp.Channels.Probing.Reading;

/// <summary>The readers that a layer's channels feed.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Layout">The units in which its channels can be removed.</param>
/// <param name="Reads">The readers of its channels.</param>
internal sealed record LayerFeed(ProbedLayer Layer, ChannelLayout Layout, IReadOnlyList<LayerRead> Reads)
{
    /// <summary>The number of units in which the channels can be removed.</summary>
    public long Units => Layout.Units;

    /// <summary>The name of a group norm that normalizes over several units; null if there is none.</summary>
    public string? NormOverUnits { get; init; }

    /// <summary>Whether no layer was found to read the channels.</summary>
    public bool IsUnread => !Reads.Any(read => read.Reader.Kind == ReaderKind.Inputs);

    /// <summary>A reader that belongs to no layer, so that it can't be cut; null if there is none.</summary>
    public Reader? Uncuttable => Reads.FirstOrDefault(read => read.Reader.Kind == ReaderKind.Other)?.Reader;

    /// <summary>A reader that doesn't read the units one by one in their order; null if there is none.</summary>
    public Reader? Unordered => Reads.FirstOrDefault(read => !read.IsInOrder)?.Reader;

    /// <summary>Whether the refusal is the whole reason; if not, <see cref="Diagnosing.Diagnosis"/> may know it.</summary>
    public bool IsExplained => Units == 1 || Uncuttable is not null || NormOverUnits is not null;

    /// <summary>Why the channels can't be removed, as far as their readers tell; null if they can.</summary>
    public string? Refusal =>
        Units == 1 ? "its only channel, or group of channels, can't be removed"
        : Uncuttable is { } uncuttable ? $"{uncuttable.Name} reads its channels too but belongs to no layer, so its slices can't be removed"
        : NormOverUnits is { } norm ? $"the group norm '{norm}' normalizes over several of its channels"
        : Unordered is { } unordered
            ? $"{unordered.Name} reads its channels together with those of other layers, not one by one in the same order"
        : IsUnread ? "a layer reads its channels together with those of other layers, not one by one"
        : null;
}
