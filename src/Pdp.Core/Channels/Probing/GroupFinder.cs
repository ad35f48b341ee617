using Pdp.Channels.Probing.Checking;
using Pdp.Channels.Probing.Diagnosing;
using Pdp.Channels.Probing.Reading;
using Pdp.Channels.Probing.Running;
using Pdp.Internal;
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
/// (<see cref="LayerFeed"/>). Where channels aren't read one by one, it tries larger units (<see cref="LayoutProposals"/>).
/// <see cref="GroupBuilder"/> joins layers with common readers into candidate groups.
/// <see cref="GroupVerifier"/> keeps the groups for which removing channels equals masking them (<see cref="CutCheck"/>) in all
/// <see cref="Scenarios"/>. <see cref="HeadFinder"/> then proposes whole attention heads for groups that failed.
/// <see cref="Diagnosis"/> says why the others can't be removed, from what code outside of layers makes of them (<see cref="Wiring"/>).
/// <see cref="ModelRunner"/> runs the model for all of them and restores it.
/// </remarks>
internal sealed class GroupFinder : IDisposable
{
    private readonly Module _model;
    private readonly ProbedLayer[] _layers;
    private readonly SortedDictionary<string, string> _unsupported = new(StringComparer.Ordinal);
    private readonly ModelRunner _runner;

    /// <summary>Prepares the search; the model is restored on disposal.</summary>
    /// <exception cref="ArgumentException">The model has no convolution or linear layer, or is of a coarse type.</exception>
    public GroupFinder(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        _model = model;
        _layers = ProbedLayer.AllOf(model);
        if (_layers.Length == 0)
        {
            throw new ArgumentException(
                $"The model '{model.GetName()}' has no convolution or linear layer: there are no channels to prune.", nameof(model));
        }

        RequirePrecision(model);
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
        var weights = new RandomWeights(_model, _layers, _runner.Snapshot);
        using var diagnosis = new Diagnosis(_model, _layers, _runner, () => weights.Fill(10), state.Reset);
        var feeds = new Probe(_model, _layers, state, positive, mixed, diagnosis.Of).Feeds();
        var builder = new GroupBuilder(_model, feeds, diagnosis.Of);
        var built = builder.Build();
        foreach (var (weight, refusal) in builder.Unsupported)
            _unsupported[weight] = refusal;
        var candidates = WithoutUnrun(
            built,
            UnrunPart.Of(_model, _layers, weight => positive.Reached(weight) || mixed.Reached(weight), diagnosis.HasCalled));
        var scenarios = new FindScenarios(_model, _layers, _runner, state.FillActive);
        var verifier = new GroupVerifier(_model, _runner, scenarios);
        var groups = WithHeads(verifier.Pass(candidates), verifier, feeds, positive);
        Explain(verifier.Refusals, diagnosis);
        return WithNorms(groups, state);
    }

    /// <summary>Adds to a group's refusal after trial cuts what is seen to be the cause.</summary>
    private void Explain(IReadOnlyDictionary<ChannelGroup, string> refusals, Diagnosis diagnosis)
    {
        foreach (var layer in _layers.Where(layer => _unsupported.ContainsKey(layer.WeightName)))
        {
            var refusal = _unsupported[layer.WeightName];
            var group = refusals.FirstOrDefault(pair => pair.Value == refusal && IsFilter(pair.Key, layer)).Key;
            if (group is not null && refusal.Contains("output changes", StringComparison.Ordinal))
                _unsupported[layer.WeightName] = $"{refusal}: {CauseOf(group, layer)}";
        }

        string CauseOf(ChannelGroup group, ProbedLayer layer) =>
            diagnosis.Of(layer)
            ?? diagnosis.InTraining(layer)
            ?? _layers.Where(tied => IsFilter(group, tied) && diagnosis.Of(tied) is not null)
                .Select(tied => $"tied to {tied.WeightName}: {diagnosis.Of(tied)}").FirstOrDefault()
            ?? "as when a zero acts on other channels, or code depends on how many there are";
    }

    private static bool IsFilter(ChannelGroup group, ProbedLayer layer) =>
        group.Of(ChannelRole.Filter).Any(filter => filter.Name == layer.WeightName);

    /// <summary>Notes the parts that no pass has run, and refuses groups whose channels these may make or read.</summary>
    private ChannelGroup[] WithoutUnrun(IReadOnlyList<ChannelGroup> groups, IReadOnlyList<UnrunPart> unrun)
    {
        foreach (var group in groups)
        {
            long[] widths = [group.Channels, .. group.Slices.Select(slice => slice.Block * group.Channels)];
            if (unrun.FirstOrDefault(part => part.Widths.Any(widths.Contains)) is { } part)
                Refuse(group, $"{part.Weight} never ran in any pass, and is of a size at which it may belong to its channels");
        }

        foreach (var part in unrun)
            _unsupported[part.Weight] = "never ran in any pass, or only where it has no gradient";
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
        // Heads of one channel each were refused before, for a reason of their own.
        var wide = heads.Where(head => head.Of(ChannelRole.Filter).Any(filter => filter.Block > 1));
        foreach (var group in groups.Concat(wide).Except(together))
        {
            var refusal = verifier.Refusals[group];
            Refuse(group, heads.Contains(group)
                ? $"its channels are {group.Channels} heads of attention, which can't be removed as a whole, as when code fixes their "
                    + $"number: {refusal}"
                : refusal);
        }

        foreach (var found in together.SelectMany(group => group.Slices))
            _unsupported.Remove(found.Role is ChannelRole.Filter or ChannelRole.Follower ? found.Name : "");
        return [.. together.OrderBy(PositionOf)];

        int PositionOf(ChannelGroup group) =>
            Array.FindIndex(_layers, layer => group.Of(ChannelRole.Filter).Any(slice => slice.Name == layer.WeightName));
    }

    private void Refuse(ChannelGroup group, string refusal)
    {
        foreach (var filter in group.Of(ChannelRole.Filter))
            _unsupported[filter.Name] = refusal;
        var layers = _layers.Select(layer => layer.WeightName).ToHashSet(StringComparer.Ordinal);
        foreach (var gate in group.Of(ChannelRole.Follower)
            .Where(slice => layers.Contains(slice.Name) && !_unsupported.ContainsKey(slice.Name)))
            _unsupported[gate.Name] = $"tied to {group.Name}: {refusal}";
    }

    public void Dispose() => _runner.Dispose();

    /// <summary>In coarse types, rounding is larger than what a wrong cut may change. Groups are the same in all types.</summary>
    private static void RequirePrecision(Module model)
    {
        var (name, parameter) = model.named_parameters().FirstOrDefault(pair => RoundingTolerance.IsCoarse(pair.parameter));
        if (parameter is not null)
        {
            throw new ArgumentException(
                $"'{name}' is of type {parameter.dtype}, whose rounding hides what removing channels changes. The map is the same for all "
                + "types: find it in float32, as by ChannelMap.Find(model.to(torch.float32), example), and convert the model afterwards.",
                nameof(model));
        }
    }

    /// <summary>Marks the groups for which masking only the norms gives the same output as masking the filters too.</summary>
    private ChannelGroup[] WithNorms(IReadOnlyList<ChannelGroup> groups, ProbeState state)
    {
        using var check = new CutCheck(_model, _runner, new("", state.FillActive, null));
        var normed = groups.Where(group => group.Of(ChannelRole.Norm).Any()).ToArray();
        var isAll = normed.Length > 0 && check.IsNormalized(check.Sample(normed));
        return [.. groups.Select(group => group with { IsNormalized = IsNormalized(group) })];

        bool IsNormalized(ChannelGroup group) =>
            normed.Contains(group) && (isAll || check.IsNormalized(check.Sample([group])));
    }
}
