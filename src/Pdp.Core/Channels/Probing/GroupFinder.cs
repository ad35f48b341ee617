using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Finds groups of channels in a model: guesses them by what falls silent together, and keeps those that trials show right.</summary>
internal sealed class GroupFinder : IDisposable
{
    private readonly Module _model;
    private readonly ProbedLayer[] _layers;
    private readonly SortedDictionary<string, string> _unsupported = new(StringComparer.Ordinal);
    private readonly ModelRunner _runner;

    /// <summary>Takes the model.</summary>
    /// <exception cref="ArgumentException">It has no layers.</exception>
    public GroupFinder(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        _model = model;
        _layers = ProbedLayer.AllOf(model);
        if (_layers.Length == 0)
            throw new ArgumentException($"The model '{model.GetName()}' has no convolution or linear layer: there are no channels to prune.", nameof(model));

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
        // With one position, or one of anything, nothing can be told apart along it.
        Func<Tensor, long[]> shapeOf = _runner.Example.Any(input => input.shape.Skip(1).Contains(1)) ? _runner.OtherSize() : tensor => tensor.shape;
        var positive = _runner.PassOn(_runner.Example.Count == 0 ? null : ProbeInput.Positive(_runner.Example, shapeOf, 20));
        var feeds = new Probe(_model, _layers, state, positive, _runner.PassOn(_runner.Normal(shapeOf, 21))).Feeds();
        var builder = new GroupBuilder(_model, feeds);
        var candidates = builder.Build();
        foreach (var (weight, refusal) in builder.Unsupported)
            _unsupported[weight] = refusal;
        var trials = new Trials(_model, _runner.Snapshot, TrialStates.Of(_model, _layers, _runner, candidates, state.Enliven), _runner.Run);
        var groups = WithHeads(trials.Pass(candidates), trials, feeds, positive);
        return WithNorms(groups, state);
    }

    /// <summary>Tries groups of whole heads in the place of values that can't go one by one, and notes what can't go at all.</summary>
    private IReadOnlyList<ChannelGroup> WithHeads(IReadOnlyList<ChannelGroup> groups, Trials trials, IReadOnlyList<LayerFeed> feeds, ProbePass pass)
    {
        foreach (var (group, refusal) in trials.Refusals)
            Refuse(group, refusal);
        if (trials.Refusals.Count == 0)
            return groups;

        using var state = new ProbeState(_model, _layers, _runner.Snapshot);
        var finder = new HeadFinder(feeds, state, pass);
        ChannelGroup[] heads = [.. trials.Refusals.Keys.Select(finder.Find).OfType<ChannelGroup>()];
        if (heads.Length == 0)
            return groups;

        var together = trials.Pass([.. groups, .. heads]);
        foreach (var group in groups.Concat(heads).Except(together))
            Refuse(group, heads.Contains(group) ? $"its channels are {group.Channels} heads of attention, which can't go as a whole: {trials.Refusals[group]}" : trials.Refusals[group]);
        foreach (var filter in together.SelectMany(group => group.Of(ChannelRole.Filter)))
            _unsupported.Remove(filter.Name);
        return [.. together.OrderBy(group => Array.FindIndex(_layers, layer => group.Of(ChannelRole.Filter).Any(slice => slice.Name == layer.WeightName)))];
    }

    private void Refuse(ChannelGroup group, string refusal)
    {
        foreach (var filter in group.Of(ChannelRole.Filter))
            _unsupported[filter.Name] = refusal;
    }

    public void Dispose() => _runner.Dispose();

    /// <summary>Notes where masking the norms silences the channels as well as masking the filters too does.</summary>
    private ChannelGroup[] WithNorms(IReadOnlyList<ChannelGroup> groups, ProbeState state)
    {
        using var trial = new Trial(_model, _runner.Snapshot, new("", state.Enliven, null, 9), _runner.Run);
        var normed = groups.Where(group => group.Of(ChannelRole.Norm).Any()).ToArray();
        var isAll = normed.Length > 0 && trial.IsNormalized(TrialChannels.Of(normed, 9));
        return [.. groups.Select(group => group with { IsNormalized = normed.Contains(group) && (isAll || trial.IsNormalized(TrialChannels.Of([group], 9))) })];
    }
}
