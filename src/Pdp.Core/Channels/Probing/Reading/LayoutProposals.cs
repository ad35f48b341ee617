using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Reading;

/// <summary>
/// Proposes units for layers whose channels aren't read one by one: groups of a group norm, parts that code splits the channels into, and
/// blocks that it joins.
/// </summary>
internal sealed class LayoutProposals
{
    private readonly Dictionary<string, GroupNorm> _norms;
    private readonly HashSet<long> _widths;

    public LayoutProposals(Module model, IReadOnlyList<ProbedLayer> layers)
    {
        _norms = ModelModules.Of(model).Where(pair => pair.Module is GroupNorm { weight: not null })
            .ToDictionary(pair => ProbedLayer.Dotted(pair.Name, "weight"), pair => (GroupNorm)pair.Module, StringComparer.Ordinal);
        _widths = [.. layers.Select(layer => layer.Inputs)];
    }

    /// <summary>The proposals, the likeliest first.</summary>
    public IReadOnlyList<LayoutProposal> All =>
    [
        new(InGroupsOfNorm, feed => feed.Reads.Any(IsGroupNorm)),
        // Gated linear units, then fused queries, keys and values.
        InParts(2),
        InParts(3),
        // Pairs beside each other, then pixel shuffle.
        InBlocks(2),
        InBlocks(4),
        // Heads of keys and values that several heads of queries share, which a layer reads again and again.
        InBlocks(8),
        InBlocks(16),
        InBlocks(32),
        InBlocks(64),
        InBlocks(128),
    ];

    /// <summary>
    /// Whether a layer's channels are read one by one: all of its readers are found, and no group norm normalizes several at once.
    /// </summary>
    public bool AreReadOneByOne(LayerFeed feed) => feed is { IsUnread: false, Unordered: null } && NormOver(feed) is null;

    /// <summary>The feed with the group norm that normalizes over several of its units, if there is one.</summary>
    public LayerFeed WithNorm(LayerFeed feed) => feed with { NormOverUnits = NormOver(feed)?[..^".weight".Length] };

    /// <summary>The weight of a group norm that normalizes over several units; null if none does.</summary>
    private string? NormOver(LayerFeed feed) =>
        feed.Reads.FirstOrDefault(read => IsGroupNorm(read) && _norms[read.Reader.Name].num_groups < feed.Units)?.Reader.Name;

    private bool IsGroupNorm(LayerRead read) => _norms.ContainsKey(read.Reader.Name);

    private ChannelLayout? InGroupsOfNorm(LayerFeed feed) =>
        feed.Layer is { ConnectionGroups: 1 } layer
        && _norms.Values.FirstOrDefault(norm => norm.weight.numel() == layer.Outputs) is { num_groups: > 1 } norm
            && norm.num_groups < layer.Outputs
            ? new(norm.num_groups)
            : null;

    private LayoutProposal InParts(long parts) => new(
        feed => IsDivided(feed.Layer, parts) ? new(feed.Layer.Outputs / parts, parts) : null,
        feed => feed.Reads.Any(read => read.Parts == 1));

    private LayoutProposal InBlocks(long block) => new(
        feed => feed.Layer.ConnectionGroups == 1 && (block <= 4 || feed.Unordered is not null) && IsDivided(feed.Layer, block)
            ? new(feed.Layer.Outputs / block)
            : null,
        feed => feed.Reads.Any(read => read.Block != block));

    /// <summary>Whether a layer reads as many channels as are left when a number of channels become one.</summary>
    private bool IsDivided(ProbedLayer layer, long by) =>
        layer.Outputs % by == 0
        && layer.Outputs / by is > 1 and var left
        && _widths.Any(width => width % left == 0)
        && (layer.ConnectionGroups == 1 || layer.ConnectionGroups == layer.Outputs);
}
