namespace Pdp;

/// <summary>Layers whose channels can only be removed together: channel u is removed from all slices, or from none.</summary>
/// <param name="Name">The name of the first filter's parameter, by which plans and reports call the group.</param>
/// <param name="Channels">The number of channels; for a grouped convolution, the number of its groups.</param>
/// <param name="Slices">The slices of parameters and buffers that belong to the channels.</param>
public sealed record ChannelGroup(string Name, long Channels, IReadOnlyList<ChannelSlice> Slices)
{
    /// <summary>
    /// Whether all readers see the channels after norms, in which case only the scales and shifts of these norms carry the soft mask.
    /// </summary>
    /// <value>Default false: filters are masked too, and the running statistics of norms after them lag while masks change.</value>
    public bool IsNormalized { get; init; }

    /// <summary>The fault of a group that was declared by hand or read from a file; null if it has none.</summary>
    internal string? Fault =>
        Channels < 2 ? $"it has {Channels} channels and needs two or more"
        : !Of(ChannelRole.Filter).Any() ? "it has no filters"
        : Filters.All(name => name != Name)
            ? $"it is named after '{Name}', which is none of its filters ({string.Join(", ", Filters)})"
        : IsNormalized && !Of(ChannelRole.Norm).Any() ? "it has no norms, which would carry the masks as IsNormalized says"
        : Slices.FirstOrDefault(slice => slice.Dimension < 0 || slice.Offset < 0 || slice.Block < 1) is { } slice
            ? $"the dimension and the offset of the slice of '{slice.Name}' must be in [0, ∞) and its block in [1, ∞)"
        : null;

    private IEnumerable<string> Filters => Of(ChannelRole.Filter).Select(slice => slice.Name).Distinct();

    /// <summary>The slices that have a role.</summary>
    /// <param name="role">The role.</param>
    public IEnumerable<ChannelSlice> Of(ChannelRole role) => Slices.Where(slice => slice.Role == role);

    /// <summary>
    /// The name, the number of channels and the filters, as in <c>conv1.weight: 64 channels of conv1, layer1.0.conv2</c>.
    /// </summary>
    public override string ToString() =>
        $"{Name}: {Channels} channels of {string.Join(", ", Filters)}";
}
