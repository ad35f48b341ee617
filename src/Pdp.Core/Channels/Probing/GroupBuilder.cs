using Pdp.Channels.Probing.Reading;
using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Ties layers that share readers, and lists the slices that belong to each channel of the tied layers.</summary>
internal sealed class GroupBuilder
{
    private readonly Dictionary<string, Module> _modules;
    private readonly Dictionary<string, long[]> _shapes;
    private readonly Dictionary<nint, string> _names;
    private readonly IReadOnlyList<LayerFeed> _feeds;
    private readonly Func<ProbedLayer, string?> _diagnose;
    private readonly Dictionary<ProbedLayer, ProbedLayer> _parents = [];
    private readonly HashSet<ProbedLayer> _gates = [];
    private readonly Dictionary<string, string> _refused = new(StringComparer.Ordinal);

    /// <summary>Prepares the groups.</summary>
    /// <param name="model">The model.</param>
    /// <param name="feeds">What its layers feed.</param>
    /// <param name="diagnose">Says why a layer's channels can't be removed, if it knows.</param>
    public GroupBuilder(Module model, IReadOnlyList<LayerFeed> feeds, Func<ProbedLayer, string?> diagnose)
    {
        _diagnose = diagnose;
        _modules = ModelModules.Of(model).ToDictionary(pair => pair.Name, pair => pair.Module, StringComparer.Ordinal);
        _names = model.named_parameters().DistinctBy(pair => TensorAddress.OfNative(pair.parameter))
            .ToDictionary(pair => TensorAddress.OfNative(pair.parameter), pair => pair.name);
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

    /// <summary>Why the channels of a set of tied layers can't be removed, and because of which layer; null if they can.</summary>
    private (LayerFeed Cause, string Reason)? RefusalOf(LayerFeed[] set)
    {
        var isRead = set.Any(feed => feed.Reads.Any(read => read.Reader is { Kind: ReaderKind.Inputs, Layer.ConnectionGroups: 1 }));
        var refusals = set.Where(feed => feed.Refusal is not null && !(_gates.Contains(feed.Layer) && feed.Reads.Count == 0));
        if (refusals.FirstOrDefault(feed => !(isRead && IsCarrier(feed))) is { } refused)
            return (refused, OwnReason(refused) ?? refused.Refusal!);

        var channels = ChannelsOf(set);
        if (set.FirstOrDefault(feed => feed.Units != channels && !_gates.Contains(feed.Layer)) is { } odd)
            return Blame(set, odd,
                $"{odd.Layer.WeightName} has {odd.Units} channels or groups of channels, but layers tied to it have {channels}");
        var meetings = set.SelectMany(feed => feed.Reads.Select(read => (feed, read))).ToArray();
        foreach (var (feed, read) in meetings)
        {
            if (meetings.Any(other => !other.read.Agrees(read)))
                return Blame(set, feed, $"{read.Reader.Name} reads its channels at an offset from those of another layer");
            if (read.Reader is { Kind: ReaderKind.Inputs, Layer.ConnectionGroups: > 1 } && read.Count != read.Reader.Slices)
                return (feed, $"{read.Reader.Name} is a grouped convolution that reads other channels too");
        }

        return null;
    }

    /// <summary>
    /// Whether a grouped convolution's outputs are added to channels that it passes through, so that no other reader sees them.
    /// </summary>
    private static bool IsCarrier(LayerFeed feed) =>
        feed is { Layer.ConnectionGroups: > 1, IsUnread: true, Units: > 1 }
        && feed.Reads.All(read => read is { IsInOrder: true, Reader.Kind: not ReaderKind.Other });

    /// <summary>The first layer of a set whose channels are seen to be mixed; if there is none, the given cause.</summary>
    private (LayerFeed Cause, string Reason) Blame(LayerFeed[] set, LayerFeed cause, string reason)
    {
        var mixed = set.FirstOrDefault(feed => !_gates.Contains(feed.Layer) && _diagnose(feed.Layer) is not null);
        return mixed is null ? (cause, reason) : (mixed, _diagnose(mixed.Layer)!);
    }

    private void Refuse(IEnumerable<LayerFeed> set, (LayerFeed Cause, string Reason) refusal)
    {
        foreach (var feed in set)
        {
            _refused[feed.Layer.WeightName] = feed == refusal.Cause ? refusal.Reason
                : (_gates.Contains(feed.Layer) || feed.Refusal is null ? null : OwnReason(feed))
                    ?? $"tied to {refusal.Cause.Layer.WeightName}: {refusal.Reason}";
        }
    }

    private string? OwnReason(LayerFeed feed) => feed.IsExplained ? feed.Refusal : _diagnose(feed.Layer);

    private ChannelGroup GroupOf(LayerFeed[] set)
    {
        var channels = ChannelsOf(set);
        var filters = set.Where(feed => !_gates.Contains(feed.Layer)).ToArray();
        var slices = filters.SelectMany(feed => MadeBy(feed.Layer, channels, feed.Layout.Parts)).Distinct().ToList();
        foreach (var read in set.SelectMany(feed => feed.Reads))
            slices.AddRange(ReadBy(read, channels).Where(slice => !slices.Contains(slice)));
        return new(filters[0].Layer.WeightName, channels, slices);
    }

    /// <summary>The slices of a layer that produce channels.</summary>
    public static IEnumerable<ChannelSlice> MadeBy(ProbedLayer layer, long channels, long parts = 1)
    {
        var weight = layer.Weight.shape[layer.OutputDimension];
        foreach (var slice in InParts(new(layer.WeightName, layer.OutputDimension, 0, weight / parts / channels, ChannelRole.Filter),
            channels, parts))
            yield return slice;
        if (layer.Bias is null)
            yield break;
        foreach (var slice in InParts(new(layer.BiasName, 0, 0, layer.Outputs / parts / channels, ChannelRole.Bias), channels, parts))
            yield return slice;
    }

    /// <summary>The slices of all parts that follow each other, given that of the first one.</summary>
    private static IEnumerable<ChannelSlice> InParts(ChannelSlice first, long channels, long parts) =>
        Enumerable.Range(0, (int)parts).Select(part => first with { Offset = first.Offset + (part * channels * first.Block) });

    private IEnumerable<ChannelSlice> ReadBy(LayerRead read, long channels) =>
        FirstPartsOf(read.Reader, read.Offset, read.Count / read.Parts / channels)
            .SelectMany(slice => InParts(slice, channels, read.Parts));

    private IEnumerable<ChannelSlice> FirstPartsOf(Reader reader, long offset, long block)
    {
        switch (reader.Kind)
        {
            case ReaderKind.Inputs when reader.Layer!.ConnectionGroups == 1:
                yield return new(reader.Name, reader.Layer.InputDimension, offset, block, ChannelRole.Input);
                break;
            case ReaderKind.Gates:
                yield return new(reader.Name, reader.Layer!.OutputDimension, offset, block, ChannelRole.Follower);
                if (reader.Layer.Bias is not null)
                    yield return new(reader.Layer.BiasName, 0, offset, block, ChannelRole.Follower);
                break;
            case ReaderKind.Elements:
                foreach (var slice in ElementsOf(reader.Name, offset, block))
                    yield return slice;
                break;
        }
    }

    /// <summary>The slices of a vector; for a norm's scale, also those of its shift and running statistics.</summary>
    private IEnumerable<ChannelSlice> ElementsOf(string name, long offset, long block)
    {
        var module = name[..Math.Max(name.LastIndexOf('.'), 0)];
        ChannelSlice Of(string parameter, ChannelRole role) => new(ProbedLayer.Dotted(module, parameter), 0, offset, block, role);
        // A shift that norms share is listed under its first name.
        ChannelSlice[] Shift(Parameter? bias) => bias is null ? []
            : [new(_names[TensorAddress.OfNative(bias)], 0, offset, block, ChannelRole.Norm)];
        ChannelSlice[] mean = [Of("running_mean", ChannelRole.Follower)];
        return _modules.GetValueOrDefault(module) switch
        {
            NormBase norm =>
            [
                Of("weight", ChannelRole.Norm),
                .. Shift(norm.bias),
                .. norm.running_mean is null ? [] : mean,
                .. norm.running_var is null ? [] : new[] { Of("running_var", ChannelRole.Follower) },
            ],
            GroupNorm norm => [Of("weight", ChannelRole.Norm), .. Shift(norm.bias)],
            _ => [new(name, LongestDimensionOf(name), offset, block, ChannelRole.Follower)],
        };
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
