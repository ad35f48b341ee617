using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Puts a model into a state in which a silent channel stays exactly silent, and puts everything back on disposal.</summary>
/// <remarks>
/// Weights are positive and random, so that nothing cancels and no unit is dead; biases, shifts and running means are 0; norms neither scale nor
/// mix, as the model is in evaluation mode. Parameters keep their identity.
/// </remarks>
internal sealed class ProbeState : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly List<(Parameter Parameter, Tensor Value, Tensor? Gradient, bool NeedsGradient)> _parameters = [];
    private readonly List<(Tensor Buffer, Tensor Value)> _buffers = [];
    private readonly EvaluationMode _mode;
    private readonly List<Tensor> _weights = [];
    private readonly IReadOnlyList<ProbedLayer> _layers;
    private readonly IReadOnlyList<NormBase> _norms;

    public ProbeState(Module model, IReadOnlyList<ProbedLayer> layers)
    {
        _layers = layers;
        _norms = [.. ModelModules.Of(model).Select(pair => pair.Module).OfType<NormBase>()];
        _mode = new(model);
        try
        {
            Save(model);
            Fill(model);
        }
        catch
        {
            Dispose();
            throw;
        }
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

    /// <summary>Makes all channels sound, with positive weights and biases, shifts and means that are not 0: the state in which groups are cut for trial.</summary>
    public void Enliven()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new Generator(2, CPU);
        foreach (var weight in _weights)
            weight.abs_();
        Silence((_, _) => false);
        foreach (var layer in _layers)
            FillRandom(layer.Bias, random);
        foreach (var norm in _norms)
        {
            FillRandom(norm.bias, random);
            FillRandom(norm.running_mean, random);
        }
    }

    /// <summary>Gives the weights both signs.</summary>
    public void MixSigns()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new Generator(3, CPU);
        using Scalar half = 0.5.ToScalar();
        foreach (var weight in _weights)
            weight.mul_(rand(weight.shape, ScalarType.Float32, CPU, generator: random).sub_(half).sign().to(weight.dtype, weight.device));
    }

    public void ClearGradients()
    {
        foreach (var saved in _parameters)
            saved.Parameter.grad = null;
    }

    public void Dispose()
    {
        using var _ = no_grad();
        foreach (var (parameter, value, gradient, needsGradient) in _parameters)
        {
            parameter.copy_(value);
            parameter.grad = gradient;
            parameter.requires_grad_(needsGradient);
            value.Dispose();
            gradient?.Dispose();
        }

        foreach (var (buffer, value) in _buffers)
        {
            buffer.copy_(value);
            value.Dispose();
        }

        _mode.Dispose();
        foreach (var weight in _weights)
            weight.Dispose();
    }

    private void Save(Module model)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var parameter in model.parameters())
        {
            _parameters.Add((parameter, parameter.detach().clone().DetachFromDisposeScope(), parameter.grad?.DetachFromDisposeScope(), parameter.requires_grad));
            parameter.grad = null;
            if (parameter.is_floating_point())
                parameter.requires_grad_(true);
        }

        foreach (var (_, buffer) in model.named_buffers())
            _buffers.Add((buffer, buffer.detach().clone().DetachFromDisposeScope()));
    }

    private void Fill(Module model)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new Generator(0, CPU);
        foreach (var saved in _parameters)
            FillRandom(saved.Parameter, random, saved.Parameter.dim() > 1 ? saved.Parameter.numel() / saved.Parameter.shape[0] : 1);
        foreach (var layer in _layers)
        {
            FillRandom(layer.Weight, random, layer.Weight.numel() / layer.Outputs);
            layer.Bias?.zero_();
            _weights.Add(layer.Weight.detach().clone().DetachFromDisposeScope());
        }

        foreach (var norm in _norms)
            Neutralize(norm);
    }

    /// <summary>Values in [¼, ¾) over the fan-in: signals vanish slowly, and don't grow along shortcuts into activations that saturate.</summary>
    private static void FillRandom(Tensor? parameter, Generator random, long fanIn = 1)
    {
        if (parameter is null || !parameter.is_floating_point())
            return;

        using Scalar scale = (0.5 / fanIn).ToScalar();
        using Scalar half = 0.5.ToScalar();
        var values = rand(parameter.shape, ScalarType.Float32, CPU, generator: random).add_(half, One).mul_(scale);
        parameter.copy_(values);
    }

    private static void Neutralize(NormBase norm)
    {
        norm.bias?.zero_();
        norm.running_mean?.zero_();
        norm.running_var?.zero_().add_(One, One);
    }
}
