using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>All of a model that trials change, put back on disposal bit for bit: values, gradients, what learns, modes, and the state of the random numbers.</summary>
internal sealed class ModelSnapshot : IDisposable
{
    private readonly List<(Parameter Parameter, Tensor Value, Tensor? Gradient, bool Learns)> _parameters = [];
    private readonly List<(Tensor Buffer, Tensor Value)> _buffers = [];
    private readonly EvaluationMode _mode;
    private readonly Tensor _random;

    /// <summary>Takes the model, which is in evaluation mode then, and whose parameters all learn.</summary>
    public ModelSnapshot(Module model)
    {
        _random = get_rng_state().DetachFromDisposeScope();
        _mode = new(model);
        try
        {
            Take(model);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The parameters, each once however many names it has.</summary>
    public IEnumerable<Parameter> Parameters => _parameters.Select(saved => saved.Parameter);

    /// <summary>The buffers.</summary>
    public IEnumerable<Tensor> Buffers => _buffers.Select(saved => saved.Buffer);

    /// <summary>Starts the random numbers where they were.</summary>
    public void Rewind() => set_rng_state(_random);

    /// <summary>Puts the values back.</summary>
    public void Restore()
    {
        using var _ = no_grad();
        foreach (var (parameter, value, _, _) in _parameters)
            parameter.copy_(value);
        foreach (var (buffer, value) in _buffers)
            buffer.copy_(value);
    }

    public void ClearGradients()
    {
        foreach (var saved in _parameters)
            saved.Parameter.grad = null;
    }

    public void Dispose()
    {
        Restore();
        foreach (var (parameter, value, gradient, learns) in _parameters)
        {
            parameter.grad = gradient;
            parameter.requires_grad_(learns);
            value.Dispose();
            gradient?.Dispose();
        }

        foreach (var (_, value) in _buffers)
            value.Dispose();
        _mode.Dispose();
        Rewind();
        _random.Dispose();
    }

    private void Take(Module model)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        // Tied wrappers are one parameter: taken twice, what the second finds is what the first left.
        foreach (var parameter in model.parameters().DistinctBy(TensorAddress.OfNative))
        {
            _parameters.Add((parameter, parameter.detach().clone().DetachFromDisposeScope(), parameter.grad?.DetachFromDisposeScope(), parameter.requires_grad));
            parameter.grad = null;
            if (parameter.is_floating_point())
                parameter.requires_grad_(true);
        }

        foreach (var (_, buffer) in model.named_buffers())
            _buffers.Add((buffer, buffer.detach().clone().DetachFromDisposeScope()));
    }
}
