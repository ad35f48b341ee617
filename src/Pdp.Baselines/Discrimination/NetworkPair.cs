using Pdp.Baselines.Internal;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Discrimination;

/// <summary>A network that is being pruned, and the dense one that it was at first, in one and the same model.</summary>
/// <remarks>Disposal removes the hooks and, unless <see cref="Keep"/> was called, makes the model what it was.</remarks>
internal sealed class NetworkPair : IDisposable
{
    private readonly Module _model;
    private readonly Func<int, (Tensor Outputs, Tensor Labels)> _forward;
    private readonly OutputTaps _taps;
    private readonly ModelState _dense;

    /// <param name="model">The model.</param>
    /// <param name="forward">Calls the model on a batch, by its number.</param>
    /// <param name="modules">The modules whose outputs can be listened to.</param>
    public NetworkPair(
        Module model,
        Func<int, (Tensor Outputs, Tensor Labels)> forward,
        IEnumerable<(string Name, Module<Tensor, Tensor> Module)> modules)
    {
        (_model, _forward) = (model, forward);
        _dense = new(model);
        _taps = new(modules);
    }

    /// <summary>The parameters that learn.</summary>
    public IEnumerable<Tensor> Parameters => _model.parameters().Where(parameter => parameter.requires_grad);

    /// <summary>Runs the network as it is now.</summary>
    /// <param name="batch">The number of the batch.</param>
    /// <param name="modules">The modules to listen to.</param>
    public Pass Run(int batch, IReadOnlyCollection<string> modules)
    {
        var ((outputs, labels), features) = _taps.During(modules, () => _forward(batch));
        return new(outputs, labels, features);
    }

    /// <summary>Runs the dense network; the model is afterwards as before.</summary>
    public Pass RunDense(int batch, IReadOnlyCollection<string> modules)
    {
        using var _ = no_grad();
        using var pruned = new ModelState(_model);
        _dense.RestoreValues();
        _model.eval();
        return Run(batch, modules);
    }

    /// <summary>
    /// Modes for choosing: the same input gives the same features, and the norm after a layer that has no channel yet doesn't scale its
    /// zeros up.
    /// </summary>
    public void Evaluate() => _model.eval();

    /// <summary>The modes that the model had at first, for fine-tuning.</summary>
    public void Train() => _dense.RestoreModes();

    public void ClearGradients()
    {
        foreach (var parameter in _model.parameters())
            parameter.grad = null;
    }

    /// <summary>Lets the model keep what has been learned.</summary>
    public void Keep() => _dense.KeepValues();

    public void Dispose()
    {
        _taps.Dispose();
        _dense.Dispose();
    }
}
