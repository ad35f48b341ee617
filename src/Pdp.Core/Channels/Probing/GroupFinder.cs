using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>
/// Finds groups of channels in a model: proposes those whose gradients vanish together, and keeps those that pass all checks.
/// </summary>
/// <remarks>
/// Start reading here. The steps, in order:
/// <see cref="Probe"/> zeroes half of the channels at a time (<see cref="ProbeState"/>, <see cref="ChannelCode"/>) and finds the slices of
/// parameters (<see cref="Reader"/>) whose gradients vanish with them (<see cref="ReaderScan"/>): what each layer feeds
/// (<see cref="LayerFeed"/>).
/// <see cref="GroupBuilder"/> joins layers with common readers into candidate groups.
/// <see cref="GroupVerifier"/> keeps the groups for which removing channels equals masking them (<see cref="CutCheck"/>) in all
/// <see cref="Scenarios"/>. <see cref="HeadFinder"/> then proposes whole attention heads for groups that failed.
/// <see cref="ModelRunner"/> runs the model for all of them and restores it.
/// </remarks>
internal sealed class GroupFinder : IDisposable
{
    private readonly Module _model;
    private readonly ProbedLayer[] _layers;
    private readonly SortedDictionary<string, string> _unsupported = new(StringComparer.Ordinal);
    private readonly ModelRunner _runner;

    /// <summary>Prepares the search; the model is restored on disposal.</summary>
    /// <exception cref="ArgumentException">The model has no convolution or linear layer.</exception>
    public GroupFinder(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        _model = model;
        _layers = ProbedLayer.AllOf(model);
        if (_layers.Length == 0)
        {
            throw new ArgumentException(
                $"The model '{model.GetName()}' has no convolution or linear layer: there are no channels to prune.", nameof(model));
        }

        _runner = new(model, forward);
    }

    /// <summary>Why the channels of a weight can't be removed, by the weight's name.</summary>
    public IReadOnlyDictionary<string, string> Unsupported => _unsupported;

    /// <summary>The shapes of the model's parameters and buffers.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes => ModelShapes.Of(_model);

    /// <summary>The groups, in the order of the model's layers.</summary>
    public IReadOnlyList<ChannelGroup> Find()
    {
        using var state = new ProbeState(_model, _layers, _runner.Snapshot);
        // A dimension of size 1 can't tell positions apart.
        var hasOne = _runner.Example.Any(input => input.shape.Skip(1).Contains(1));
        var shapeOf = hasOne ? _runner.OtherSize() : tensor => tensor.shape;
        var positive = _runner.PassOn(_runner.Example.Count == 0 ? null : ProbeInput.Positive(_runner.Example, shapeOf, 20));
        var mixed = _runner.PassOn(_runner.Normal(shapeOf, 21));
        var feeds = new Probe(_model, _layers, state, positive, mixed).Feeds();
        var builder = new GroupBuilder(_model, feeds);
        var built = builder.Build();
        foreach (var (weight, refusal) in builder.Unsupported)
            _unsupported[weight] = refusal;
        var candidates = WithoutUnseen(
            built, [.. _layers.Where(layer => !positive.Reached(layer.Weight) && !mixed.Reached(layer.Weight))]);
        var states = Scenarios.Of(_model, _layers, _runner, candidates, state.FillActive);
        var verifier = new GroupVerifier(_model, _runner.Snapshot, states, _runner.Run);
        var groups = WithHeads(verifier.Pass(candidates), verifier, feeds, positive);
        return WithNorms(groups, state);
    }

    /// <summary>Refuses groups whose channels a layer may make or read that no pass has run, and notes such layers.</summary>
    private ChannelGroup[] WithoutUnseen(IReadOnlyList<ChannelGroup> groups, ProbedLayer[] unseen)
    {
        foreach (var layer in unseen)
            _unsupported[layer.WeightName] = "never ran in any pass, or only where it has no gradient";
        foreach (var group in groups)
        {
            long[] widths = [group.Channels, .. group.Slices.Select(slice => slice.Block * group.Channels)];
            if (unseen.FirstOrDefault(layer => widths.Contains(layer.Inputs) || widths.Contains(layer.Outputs)) is { } layer)
                Refuse(group, $"{layer.WeightName} never ran in any pass, and is of a size at which it may belong to its channels");
        }

        return [.. groups.Where(group => !group.Of(ChannelRole.Filter).Any(filter => _unsupported.ContainsKey(filter.Name)))];
    }

    /// <summary>
    /// Tries groups of whole heads for values that can't be removed one by one, and records what can't be removed at all.
    /// </summary>
    private IReadOnlyList<ChannelGroup> WithHeads(
        IReadOnlyList<ChannelGroup> groups, GroupVerifier verifier, IReadOnlyList<LayerFeed> feeds, ProbePass pass)
    {
        foreach (var (group, refusal) in verifier.Refusals)
            Refuse(group, refusal);
        if (verifier.Refusals.Count == 0)
            return groups;

        using var state = new ProbeState(_model, _layers, _runner.Snapshot);
        var finder = new HeadFinder(feeds, state, pass);
        ChannelGroup[] heads = [.. verifier.Refusals.Keys.Select(finder.Find).OfType<ChannelGroup>()];
        if (heads.Length == 0)
            return groups;

        var together = verifier.Pass([.. groups, .. heads]);
        foreach (var group in groups.Concat(heads).Except(together))
        {
            var refusal = verifier.Refusals[group];
            Refuse(group, heads.Contains(group)
                ? $"its channels are {group.Channels} heads of attention, which can't be removed as a whole: {refusal}"
                : refusal);
        }

        foreach (var filter in together.SelectMany(group => group.Of(ChannelRole.Filter)))
            _unsupported.Remove(filter.Name);
        return [.. together.OrderBy(PositionOf)];

        int PositionOf(ChannelGroup group) =>
            Array.FindIndex(_layers, layer => group.Of(ChannelRole.Filter).Any(slice => slice.Name == layer.WeightName));
    }

    private void Refuse(ChannelGroup group, string refusal)
    {
        foreach (var filter in group.Of(ChannelRole.Filter))
            _unsupported[filter.Name] = refusal;
    }

    public void Dispose() => _runner.Dispose();

    /// <summary>Marks the groups for which masking only the norms gives the same output as masking the filters too.</summary>
    private ChannelGroup[] WithNorms(IReadOnlyList<ChannelGroup> groups, ProbeState state)
    {
        using var check = new CutCheck(_model, _runner.Snapshot, new("", state.FillActive, null, 9), _runner.Run);
        var normed = groups.Where(group => group.Of(ChannelRole.Norm).Any()).ToArray();
        var isAll = normed.Length > 0 && check.IsNormalized(ChannelSampler.Of(normed, 9));
        return [.. groups.Select(group => group with { IsNormalized = IsNormalized(group) })];

        bool IsNormalized(ChannelGroup group) =>
            normed.Contains(group) && (isAll || check.IsNormalized(ChannelSampler.Of([group], 9)));
    }
}
