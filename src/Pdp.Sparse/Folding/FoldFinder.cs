using Pdp.Internal;
using Pdp.Sparse.Hooks;
using Pdp.Sparse.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Folding;

/// <summary>
/// Finds, in one call of a model, which layers run, and which batch norms and activations get the very tensors that the layers return.
/// </summary>
internal sealed class FoldFinder
{
    private readonly Dictionary<Module, List<Chain>> _chains = [];
    private readonly Dictionary<Module, int> _normCalls = [];
    private Chain? _chain;
    private Tensor? _last;

    private FoldFinder()
    {
    }

    /// <summary>The layers that ran, with what may be folded into each.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layers">Its layers that hooks can reach.</param>
    /// <param name="forward">Calls the model.</param>
    public static IReadOnlyDictionary<Layer, LayerFold> Find(Module model, IEnumerable<Layer> layers, Action forward)
    {
        var finder = new FoldFinder();
        Layer[] all = [.. layers];
        using var hooks = new CallHook();
        foreach (var layer in all)
            hooks.Watch(layer.Module, (_, output) => finder.NoteLayer(layer, output));
        foreach (var (name, module) in ModelModules.Of(model).DistinctBy(pair => pair.Module))
        {
            if (module is Module<Tensor, Tensor> follower && !LayerHooks.HasAny(follower))
                finder.Watch(hooks, new(name, follower));
        }

        forward();
        return all.Where(layer => finder._chains.ContainsKey(layer.Module)).ToDictionary(layer => layer, finder.FoldOf);
    }

    private void Watch(CallHook hooks, FoldedModule module)
    {
        if (LayerFold.IsNorm(module.Module))
            hooks.Watch(module.Module, (input, output) => NoteNorm(module, input, output));
        else if (LayerFold.ActivationOf(module.Module) is not null)
            hooks.Watch(module.Module, (input, output) => NoteActivation(module, input, output));
    }

    private void NoteLayer(Layer layer, Tensor output)
    {
        (_chain, _last) = (new(layer, output.dim()), output);
        if (!_chains.TryGetValue(layer.Module, out var chains))
            _chains[layer.Module] = chains = [];
        chains.Add(_chain);
    }

    private void NoteNorm(FoldedModule norm, Tensor input, Tensor output)
    {
        _normCalls[norm.Module] = _normCalls.GetValueOrDefault(norm.Module) + 1;
        if (!IsNext(input) || _chain is not { Norm: null, Activation: null } || !Fits(norm, _chain))
            return;
        _chain.Norm = norm;
        _last = output;
    }

    private void NoteActivation(FoldedModule activation, Tensor input, Tensor output)
    {
        if (!IsNext(input) || _chain is not { Activation: null })
            return;
        _chain.Activation = activation;
        _last = output;
    }

    private bool IsNext(Tensor input) => _last is not null && ReferenceEquals(input, _last);

    // The channels of a norm are the second dimension, and a linear layer's outputs are the last one.
    private static bool Fits(FoldedModule norm, Chain chain) =>
        chain.Rank == chain.Layer.Rank && ((BatchNorm)norm.Module).num_features == chain.Layer.Weight.shape[0];

    private LayerFold FoldOf(Layer layer)
    {
        var chains = _chains[layer.Module];
        var (norm, activation) = (chains[0].Norm, chains[0].Activation);
        if (chains.Any(chain => chain.Norm != norm || chain.Activation != activation))
            return LayerFold.None;
        if (norm is not null && _normCalls[norm.Module] != chains.Count)
            return LayerFold.None;
        return new(norm, activation);
    }

    /// <summary>A call of a layer and what followed it.</summary>
    private sealed class Chain(Layer layer, long rank)
    {
        public Layer Layer => layer;

        public long Rank => rank;

        public FoldedModule? Norm { get; set; }

        public FoldedModule? Activation { get; set; }
    }
}
