using Pdp.Internal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>A state of a model in which a silent channel stays exactly silent.</summary>
/// <remarks>
/// Weights are positive and random, so that nothing cancels and no unit is dead; biases, shifts and running means are 0; norms neither scale nor
/// mix, as they evaluate. Parameters keep their identity.
/// </remarks>
internal sealed class ProbeState : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly List<Tensor> _weights = [];
    private readonly IReadOnlyList<ProbedLayer> _layers;
    private readonly IReadOnlyList<NormBase> _norms;
    private readonly ModelSnapshot _snapshot;

    public ProbeState(Module model, IReadOnlyList<ProbedLayer> layers, ModelSnapshot snapshot)
    {
        (_layers, _snapshot) = (layers, snapshot);
        _norms = [.. ModelModules.Of(model).Select(pair => pair.Module).OfType<NormBase>()];
        Fill();
    }

    /// <summary>Silences some output channels of each layer and makes the others sound.</summary>
    /// <param name="isSilent">Which channels of which layer are silent.</param>
    public void Silence(Func<ProbedLayer, long, bool> isSilent)
    {
        using var _ = no_grad();
        foreach (var (layer, weight) in _layers.Zip(_weights))
        {
            using var scope = NewDisposeScope();
            float[] sounds = [.. Enumerable.Range(0, (int)layer.Outputs).Select(channel => isSilent(layer, channel) ? 0f : 1f)];
            var mask = tensor(sounds, dtype: layer.Weight.dtype, device: layer.Weight.device);
            layer.Weight.copy_(layer.Blocks(weight).mul(layer.OverOutputs(mask)).reshape(layer.Weight.shape));
        }
    }

    /// <summary>Makes all channels sound, with positive weights and biases, shifts and means that are not 0: one of the states in which groups are cut for trial.</summary>
    public void Enliven()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var draw = new Draw(2);
        FillParameters();
        foreach (var weight in _weights)
            weight.abs_();
        Silence((_, _) => false);
        foreach (var layer in _layers)
            FillRandom(layer.Bias, draw);
        foreach (var norm in _norms)
        {
            Neutralize(norm);
            FillRandom(norm.bias, draw);
            FillRandom(norm.running_mean, draw);
        }
    }

    /// <summary>Gives the weights both signs.</summary>
    public void MixSigns()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var draw = new Draw(3);
        foreach (var weight in _weights)
            weight.mul_(draw.Uniform(weight.shape, -1, 1, weight).sign());
    }

    public void ClearGradients() => _snapshot.ClearGradients();

    public void Dispose()
    {
        foreach (var weight in _weights)
            weight.Dispose();
    }

    private void Fill()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        FillParameters();
        using var draw = new Draw(1);
        foreach (var layer in _layers)
        {
            FillRandom(layer.Weight, draw, layer.Weight.numel() / layer.Outputs);
            layer.Bias?.zero_();
            _weights.Add(layer.Weight.detach().clone().DetachFromDisposeScope());
        }

        foreach (var norm in _norms)
            Neutralize(norm);
    }

    private void FillParameters()
    {
        using var draw = new Draw(0);
        _snapshot.Restore();
        var weights = _layers.Select(layer => TensorAddress.OfNative(layer.Weight)).ToHashSet();
        foreach (var parameter in _snapshot.Parameters.Where(parameter => !weights.Contains(TensorAddress.OfNative(parameter))))
            FillRandom(parameter, draw, parameter.dim() > 1 ? parameter.numel() / parameter.shape[0] : 1);
    }

    /// <summary>Values in [¼, ¾) over the fan-in: signals vanish slowly, and don't grow along shortcuts into activations that saturate.</summary>
    private static void FillRandom(Tensor? parameter, Draw draw, long fanIn = 1)
    {
        if (parameter is null || !parameter.is_floating_point())
            return;

        using var values = draw.Uniform(parameter.shape, 0.25 / fanIn, 0.75 / fanIn, parameter);
        parameter.copy_(values);
    }

    private static void Neutralize(NormBase norm)
    {
        norm.bias?.zero_();
        norm.running_mean?.zero_();
        norm.running_var?.zero_().add_(One, One);
    }
}
