using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Reading;

/// <summary>A state of a model in which a zeroed channel stays exactly zero.</summary>
/// <remarks>
/// Weights are positive and random, so that nothing cancels and no unit is dead. Biases, shifts and running means are 0. Norms evaluate
/// with unit variance, so that they neither scale nor mix channels. Parameters keep their identity.
/// </remarks>
internal sealed class ProbeState : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly List<Tensor> _weights = [];
    private readonly IReadOnlyList<ProbedLayer> _layers;
    private readonly IReadOnlyList<NormBase> _norms;
    private readonly IReadOnlyList<GroupNorm> _groupNorms;
    private readonly ModelSnapshot _snapshot;

    public ProbeState(Module model, IReadOnlyList<ProbedLayer> layers, ModelSnapshot snapshot)
    {
        (_layers, _snapshot) = (layers, snapshot);
        Module[] modules = [.. ModelModules.Of(model).Select(pair => pair.Module)];
        _norms = [.. modules.OfType<NormBase>()];
        _groupNorms = [.. modules.OfType<GroupNorm>()];
        Fill();
    }

    /// <summary>Zeroes some output channels of each layer and restores the others.</summary>
    /// <param name="isZeroed">Whether a channel of a layer is zeroed.</param>
    public void Zero(Func<ProbedLayer, long, bool> isZeroed)
    {
        using var _ = no_grad();
        foreach (var (layer, weight) in _layers.Zip(_weights))
        {
            using var scope = NewDisposeScope();
            float[] factors = [.. Enumerable.Range(0, (int)layer.Outputs).Select(channel => isZeroed(layer, channel) ? 0f : 1f)];
            var mask = tensor(factors, dtype: layer.Weight.dtype, device: layer.Weight.device);
            layer.Weight.copy_(layer.Blocks(weight).mul(layer.OverOutputs(mask)).reshape(layer.Weight.shape));
        }
    }

    /// <summary>
    /// Activates all channels, with positive weights and nonzero biases, shifts and means: one of the scenarios in which cuts are
    /// checked.
    /// </summary>
    public void FillActive()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new RandomTensors(2);
        FillParameters();
        foreach (var weight in _weights)
            weight.abs_();
        Zero((_, _) => false);
        foreach (var layer in _layers)
            FillRandom(layer.Bias, random);
        foreach (var norm in _norms)
        {
            Neutralize(norm);
            FillRandom(norm.bias, random);
            FillRandom(norm.running_mean, random);
        }

        foreach (var norm in _groupNorms)
            FillRandom(norm.bias, random);
    }

    /// <summary>Returns to the state without zeroed channels, whatever the model is in.</summary>
    public void Reset()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        FillParameters();
        foreach (var layer in _layers)
            layer.Bias?.zero_();
        foreach (var norm in _norms)
            Neutralize(norm);
        foreach (var norm in _groupNorms)
            norm.bias?.zero_();
        foreach (var weight in _weights)
            weight.abs_();
        Zero((_, _) => false);
    }

    /// <summary>Gives the weights random signs, until the next <see cref="Reset"/>.</summary>
    public void MixSigns()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new RandomTensors(3);
        foreach (var weight in _weights)
            weight.mul_(random.Uniform(weight.shape, -1, 1, weight).sign());
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
        using var random = new RandomTensors(1);
        foreach (var layer in _layers)
        {
            FillRandom(layer.Weight, random, layer.Weight.numel() / layer.Outputs);
            _weights.Add(layer.Weight.detach().clone().DetachFromDisposeScope());
        }

        Reset();
    }

    private void FillParameters()
    {
        using var random = new RandomTensors(0);
        _snapshot.Restore();
        var weights = _layers.Select(layer => TensorAddress.OfNative(layer.Weight)).ToHashSet();
        foreach (var parameter in _snapshot.Parameters.Where(parameter => !weights.Contains(TensorAddress.OfNative(parameter))))
            FillRandom(parameter, random, parameter.dim() > 1 ? parameter.numel() / parameter.shape[0] : 1);
    }

    /// <summary>
    /// Values in [¼, ¾) over the fan-in: signals vanish slowly, and don't grow along shortcuts until activations saturate.
    /// </summary>
    private static void FillRandom(Tensor? parameter, RandomTensors random, long fanIn = 1)
    {
        if (parameter is null || !parameter.is_floating_point())
            return;

        using var values = random.Uniform(parameter.shape, 0.25 / fanIn, 0.75 / fanIn, parameter);
        parameter.copy_(values);
    }

    private static void Neutralize(NormBase norm)
    {
        norm.bias?.zero_();
        norm.running_mean?.zero_();
        norm.running_var?.zero_().add_(One, One);
    }
}
