using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Finds groups of channels in a model: guesses them by what falls silent together, and keeps those that trials show right.</summary>
internal sealed class GroupFinder : IDisposable
{
    private readonly Module _model;
    private readonly ProbedLayer[] _layers;
    private readonly SortedDictionary<string, string> _unsupported = new(StringComparer.Ordinal);
    private readonly DisposeScope _scope;
    private readonly IDisposable _mode;
    private readonly Bulkhead _bulkhead = new();
    private readonly ModelSnapshot _snapshot;
    private readonly ModelCall? _call;

    /// <summary>Takes the model.</summary>
    /// <exception cref="ArgumentException">It has no layers.</exception>
    public GroupFinder(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        _model = model;
        _layers = ProbedLayer.AllOf(model);
        if (_layers.Length == 0)
            throw new ArgumentException($"The model '{model.GetName()}' has no convolution or linear layer: there are no channels to prune.", nameof(model));

        _scope = NewDisposeScope();
        _mode = inference_mode(false);
        _snapshot = new(model);
        try
        {
            _call = _bulkhead.Run(() => ModelCall.Of(model, forward));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Why the channels of a weight can't be removed, by the weight's name.</summary>
    public IReadOnlyDictionary<string, string> Unsupported => _unsupported;

    /// <summary>The shapes of the model's parameters and buffers.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes => ModelShapes.Of(_model);

    /// <summary>The groups, in the order of the model's layers.</summary>
    public IReadOnlyList<ChannelGroup> Find()
    {
        using var state = new ProbeState(_model, _layers, _snapshot);
        var sizes = OtherSize();
        var builder = new GroupBuilder(_model, new Probe(
            _model,
            _layers,
            state,
            PassOn(ProbeInput.Positive(_call!.Example, tensor => tensor.shape, 20)),
            PassOn(ProbeInput.Normal(_call!.Example, tensor => tensor.shape, 1, 21))).Feeds());
        var candidates = builder.Build();
        foreach (var (weight, refusal) in builder.Unsupported)
            _unsupported[weight] = refusal;
        var trials = new Trials(_model, _snapshot, TrialStates.Of(_model, _layers, _snapshot, _call!.Example, sizes, candidates, state.Enliven), Run);
        var groups = trials.Pass(candidates);
        foreach (var (group, refusal) in trials.Refusals)
            foreach (var filter in group.Of(ChannelRole.Filter))
                _unsupported[filter.Name] = refusal;
        return WithNorms(groups, state);
    }

    public void Dispose()
    {
        _bulkhead.Run(() =>
        {
            _call?.Release();
            return true;
        });
        _snapshot.Dispose();
        _bulkhead.Dispose();
        _mode.Dispose();
        _scope.Dispose();
    }

    /// <summary>Notes where masking the norms silences the channels as well as masking the filters too does.</summary>
    private ChannelGroup[] WithNorms(IReadOnlyList<ChannelGroup> groups, ProbeState state)
    {
        using var trial = new Trial(_model, _snapshot, new("", state.Enliven, null, 9), Run);
        var normed = groups.Where(group => group.Of(ChannelRole.Norm).Any()).ToArray();
        var isAll = normed.Length > 0 && trial.IsNormalized(TrialChannels.Of(normed, 9));
        return [.. groups.Select(group => group with { IsNormalized = normed.Contains(group) && (isAll || trial.IsNormalized(TrialChannels.Of([group], 9))) })];
    }

    private ProbePass PassOn(IReadOnlyList<Tensor> inputs) => new(_model, _snapshot, _bulkhead, () => _call!.Run(inputs.Count == 0 ? null : inputs));

    private Outputs Run(IReadOnlyList<Tensor>? inputs) => _bulkhead.Run(() =>
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Outputs.Of(_call!.Run(inputs));
    });

    /// <summary>The first of other sizes that the model takes; null if it takes none.</summary>
    private Func<Tensor, long[]>? OtherSize() => ProbeSizes.Of(_call!.Example).FirstOrDefault(shapeOf =>
    {
        try
        {
            using var scope = NewDisposeScope();
            return Run(ProbeInput.Positive(_call!.Example, shapeOf, 19)).Largest is > 0 and < double.PositiveInfinity;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return false;
        }
    });
}
