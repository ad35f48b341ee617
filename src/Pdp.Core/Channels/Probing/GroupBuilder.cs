using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Ties layers that share readers, and lists the slices that belong to each channel of the tied layers.</summary>
internal sealed class GroupBuilder
{
    private readonly Dictionary<string, Module> _modules;
    private readonly Dictionary<string, long[]> _shapes;
    private readonly IReadOnlyList<LayerFeed> _feeds;
    private readonly Dictionary<ProbedLayer, ProbedLayer> _parents = [];
    private readonly HashSet<ProbedLayer> _gates = [];
    private readonly Dictionary<string, string> _refused = new(StringComparer.Ordinal);

    public GroupBuilder(Module model, IReadOnlyList<LayerFeed> feeds)
    {
        _modules = ModelModules.Of(model).ToDictionary(pair => pair.Name, pair => pair.Module, StringComparer.Ordinal);
        _shapes = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.shape, StringComparer.Ordinal);
        _feeds = feeds;
    }

    /// <summary>Why the channels of a weight can't be removed, by the weight's name.</summary>
    public IReadOnlyDictionary<string, string> Unsupported => _refused;

    /// <summary>The groups, in the order of the model's layers.</summary>
    public IReadOnlyList<ChannelGroup> Build()
    {
        foreach (var feed in _feeds)
            TieToReaders(feed);
        foreach (var shared in _feeds.Where(feed => feed.Layer.Bias is not null).GroupBy(feed => TensorAddress.OfNative(feed.Layer.Bias!)))
            foreach (var feed in shared.Skip(1))
                Tie(shared.First().Layer, feed.Layer);
        foreach (var (i, feed) in _feeds.Index())
            foreach (var other in _feeds.Skip(i + 1).Where(other => Meet(feed, other)))
                Tie(feed.Layer, other.Layer);

        var groups = new List<ChannelGroup>();
        foreach (var set in _feeds.GroupBy(feed => Root(feed.Layer)))
        {
            if (RefusalOf([.. set]) is { } refusal)
                Refuse(set, refusal);
            else
                groups.Add(GroupOf([.. set]));
        }

        return groups;
    }

    private static bool Meet(LayerFeed a, LayerFeed b) => a.Reads.Any(read => b.Reads.Any(read.Overlaps));

    /// <summary>The number of channels of a group. A grouped convolution's channels count as whole groups.</summary>
    private static long ChannelsOf(IReadOnlyList<LayerFeed> set) => set.Min(feed => feed.Units);

    /// <summary>Ties layers to the grouped convolutions that pass their channels through, and to the gates that scale them.</summary>
    private void TieToReaders(LayerFeed feed)
    {
        foreach (var read in feed.Reads)
        {
            if (read.Reader.Kind == ReaderKind.Gates)
                _gates.Add(read.Reader.Layer!);
            if (read.Reader.Kind == ReaderKind.Gates || read.Reader is { Kind: ReaderKind.Inputs, Layer.ConnectionGroups: > 1 })
                Tie(feed.Layer, read.Reader.Layer!);
        }
    }

    private string? RefusalOf(LayerFeed[] set)
    {
        var isRead = set.Any(feed => feed.Reads.Any(read => read.Reader is { Kind: ReaderKind.Inputs, Layer.ConnectionGroups: 1 }));
        var refusals = set.Where(feed => feed.Refusal is not null && !_gates.Contains(feed.Layer));
        if (refusals.FirstOrDefault(feed => !(isRead && IsCarrier(feed))) is { } refused)
            return set.Length == 1 ? refused.Refusal : $"tied to {refused.Layer.WeightName}: {refused.Refusal}";

        var channels = ChannelsOf(set);
        if (set.FirstOrDefault(feed => feed.Units != channels && !_gates.Contains(feed.Layer)) is { } odd)
            return $"{odd.Layer.WeightName} has {odd.Units} channels or groups of channels, but layers tied to it have {channels}";
        var meetings = set.SelectMany(feed => feed.Reads.Select(read => (feed, read))).ToArray();
        foreach (var (feed, read) in meetings)
        {
            if (meetings.Any(other => other.read.Overlaps(read) && (other.read.Offset != read.Offset || other.read.Count != read.Count)))
                return $"{read.Reader.Name} reads its channels at an offset from those of another layer";
            if (read.Reader is { Kind: ReaderKind.Inputs, Layer.ConnectionGroups: > 1 } && read.Count != read.Reader.Slices)
                return $"{read.Reader.Name} is a grouped convolution that reads other channels too";
        }

        return null;
    }

    /// <summary>
    /// Whether a grouped convolution's outputs are added to channels that it passes through, so that no other reader sees them.
    /// </summary>
    private static bool IsCarrier(LayerFeed feed) =>
        feed is { Layer.ConnectionGroups: > 1, IsUnread: true, Units: > 1 }
        && feed.Reads.All(read => read is { IsInOrder: true, Reader.Kind: not ReaderKind.Other });

    private void Refuse(IEnumerable<LayerFeed> set, string refusal)
    {
        foreach (var feed in set)
            _refused[feed.Layer.WeightName] = feed.Refusal is { } own && !_gates.Contains(feed.Layer) ? own : refusal;
    }

    private ChannelGroup GroupOf(LayerFeed[] set)
    {
        var channels = ChannelsOf(set);
        var filters = set.Where(feed => !_gates.Contains(feed.Layer)).Select(feed => feed.Layer).ToArray();
        var slices = filters.SelectMany(layer => MadeBy(layer, channels, ChannelRole.Filter, ChannelRole.Bias)).ToList();
        foreach (var read in set.SelectMany(feed => feed.Reads))
            slices.AddRange(ReadBy(read, channels).Where(slice => !slices.Contains(slice)));
        return new(filters[0].WeightName, channels, slices);
    }

    /// <summary>The slices of a layer that produce channels.</summary>
    public static IEnumerable<ChannelSlice> MadeBy(ProbedLayer layer, long channels, ChannelRole weight, ChannelRole bias)
    {
        yield return new(layer.WeightName, layer.OutputDimension, 0, layer.Weight.shape[layer.OutputDimension] / channels, weight);
        if (layer.Bias is not null)
            yield return new(layer.BiasName, 0, 0, layer.Outputs / channels, bias);
    }

    private IEnumerable<ChannelSlice> ReadBy(LayerRead read, long channels)
    {
        var (reader, block) = (read.Reader, read.Count / channels);
        switch (reader.Kind)
        {
            case ReaderKind.Inputs when reader.Layer!.ConnectionGroups == 1:
                yield return new(reader.Name, reader.Layer.InputDimension, read.Offset, block, ChannelRole.Input);
                break;
            case ReaderKind.Gates:
                yield return new(reader.Name, reader.Layer!.OutputDimension, read.Offset, block, ChannelRole.Follower);
                if (reader.Layer.Bias is not null)
                    yield return new(reader.Layer.BiasName, 0, read.Offset, block, ChannelRole.Follower);
                break;
            case ReaderKind.Elements:
                foreach (var slice in ElementsOf(reader.Name, read.Offset, block))
                    yield return slice;
                break;
        }
    }

    /// <summary>The slices of a vector; for a norm's scale, also those of its shift and running statistics.</summary>
    private IEnumerable<ChannelSlice> ElementsOf(string name, long offset, long block)
    {
        var module = name[..Math.Max(name.LastIndexOf('.'), 0)];
        if (_modules.GetValueOrDefault(module) is not NormBase norm)
        {
            yield return new(name, LongestDimensionOf(name), offset, block, ChannelRole.Follower);
            yield break;
        }

        yield return new(name, 0, offset, block, ChannelRole.Norm);
        if (norm.bias is not null)
            yield return new(ProbedLayer.Dotted(module, "bias"), 0, offset, block, ChannelRole.Norm);
        if (norm.running_mean is not null)
            yield return new(ProbedLayer.Dotted(module, "running_mean"), 0, offset, block, ChannelRole.Follower);
        if (norm.running_var is not null)
            yield return new(ProbedLayer.Dotted(module, "running_var"), 0, offset, block, ChannelRole.Follower);
    }

    private int LongestDimensionOf(string name)
    {
        var shape = _shapes[name];
        return Array.IndexOf(shape, shape.Max());
    }

    private ProbedLayer Root(ProbedLayer layer)
    {
        while (_parents.TryGetValue(layer, out var parent))
            layer = parent;
        return layer;
    }

    /// <summary>Ties two layers; the earlier one represents the set.</summary>
    private void Tie(ProbedLayer a, ProbedLayer b)
    {
        var (first, second) = (Root(a), Root(b));
        if (first != second)
            _parents[second] = first;
    }
}
