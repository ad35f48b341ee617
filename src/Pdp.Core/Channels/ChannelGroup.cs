namespace Pdp;

/// <summary>Channels that can only be removed together: the same channel of every filter, companion and reader goes, or none.</summary>
/// <param name="Name">The name of the first filters' parameter.</param>
/// <param name="Channels">The number of channels; of a grouped convolution the number of its groups.</param>
/// <param name="Slices">What belongs to the channels.</param>
public sealed record ChannelGroup(string Name, long Channels, IReadOnlyList<ChannelSlice> Slices)
{
    /// <summary>Whether all that read the channels see them behind norms, whose scales and shifts then carry the soft mask alone.</summary>
    /// <value>Default false: filters are masked too, and running statistics of norms behind them lag while masks change.</value>
    public bool IsNormalized { get; init; }

    /// <summary>What is wrong with a group that was declared by hand, or read; null where nothing is.</summary>
    internal string? Fault =>
        Channels < 2 ? $"it has {Channels} channels and needs two or more"
        : !Of(ChannelRole.Filter).Any() ? "it has no filters"
        : Slices.FirstOrDefault(slice => slice.Dimension < 0 || slice.Offset < 0 || slice.Block < 1) is { } slice ? $"the dimension and the offset of the slice of '{slice.Name}' must be in [0, ∞) and its block in [1, ∞)"
        : null;

    /// <summary>The slices of a role.</summary>
    /// <param name="role">The role.</param>
    public IEnumerable<ChannelSlice> Of(ChannelRole role) => Slices.Where(slice => slice.Role == role);

    /// <summary>The name, the number of channels and the filters, as in <c>conv1.weight: 64 channels of conv1, layer1.0.conv2</c>.</summary>
    public override string ToString() => $"{Name}: {Channels} channels of {string.Join(", ", Of(ChannelRole.Filter).Select(slice => slice.Name))}";
}
