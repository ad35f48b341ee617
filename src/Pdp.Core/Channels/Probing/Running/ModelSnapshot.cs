using System.Runtime.InteropServices;
using Pdp.Channels.Cutting;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Running;

/// <summary>
/// Saves all of a model's state and restores it on disposal, bit for bit: values, gradients, <c>requires_grad</c>, modes, and the state
/// of the random number generator.
/// </summary>
internal sealed class ModelSnapshot : IDisposable
{
    private readonly List<(Parameter Parameter, Tensor Value, Tensor? Gradient, bool RequiresGradient)> _parameters = [];
    private readonly List<(Tensor Buffer, Tensor Value)> _buffers = [];
    private readonly EvaluationMode _mode;
    private readonly Tensor _random;

    /// <summary>Saves the model, puts it into evaluation mode and makes all parameters require gradients.</summary>
    /// <exception cref="ArgumentException">
    /// The model was created under <c>inference_mode</c>, or elements of a parameter share memory.
    /// </exception>
    public ModelSnapshot(Module model)
    {
        RequireChangeable(model);
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

    /// <summary>The parameters, each once even if it has several names.</summary>
    public IEnumerable<Parameter> Parameters => _parameters.Select(saved => saved.Parameter);

    /// <summary>The buffers.</summary>
    public IEnumerable<Tensor> Buffers => _buffers.Select(saved => saved.Buffer);

    /// <summary>Makes the passes that follow draw the same random numbers each time, whatever the user's generator is at.</summary>
    /// <param name="draw">Which numbers.</param>
    public static void Rewind(ulong draw = 0)
    {
        using var generator = new Generator(draw, CPU);
        using var state = generator.get_state();
        set_rng_state(state);
    }

    /// <summary>Restores the values.</summary>
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
        foreach (var (parameter, value, gradient, requiresGradient) in _parameters)
        {
            parameter.grad = gradient;
            parameter.requires_grad_(requiresGradient);
            value.Dispose();
            gradient?.Dispose();
        }

        foreach (var (_, value) in _buffers)
            value.Dispose();
        _mode.Dispose();
        set_rng_state(_random);
        _random.Dispose();
    }

    /// <summary>
    /// Tensors that were born under inference_mode refuse changes outside of it, even of none of their elements; expanded ones always do.
    /// </summary>
    private static void RequireChangeable(Module model)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode(false);
        using var _ = no_grad();
        foreach (var (name, tensor) in Surgery.TensorsOf(model))
        {
            if (ExpandedView.Is(tensor))
            {
                throw new ArgumentException(
                    $"The elements of '{name}' share memory, as after expand(), so they can't be changed one by one: clone() it.",
                    nameof(model));
            }

            try
            {
                tensor.detach().flatten().narrow(0, 0, 0).zero_();
            }
            catch (ExternalException fault)
            {
                throw new ArgumentException(Faults.MadeInInferenceMode(name), nameof(model), fault);
            }
        }
    }

    private void Take(Module model)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        // Tied wrappers share one parameter, which must be saved only once: its first save changes it.
        foreach (var parameter in model.parameters().DistinctBy(TensorAddress.OfNative))
        {
            var value = parameter.detach().clone().DetachFromDisposeScope();
            _parameters.Add((parameter, value, parameter.grad?.DetachFromDisposeScope(), parameter.requires_grad));
            parameter.grad = null;
            if (parameter.is_floating_point())
                parameter.requires_grad_(true);
        }

        foreach (var (_, buffer) in ModelBuffers.Of(model))
            _buffers.Add((buffer, buffer.detach().clone().DetachFromDisposeScope()));
    }
}
