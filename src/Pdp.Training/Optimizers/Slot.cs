using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Optimizers;

/// <summary>One parameter of an optimizer. It owns the parameter's state.</summary>
internal sealed class Slot(string name, Parameter parameter, ParameterGroup group, int states) : IDisposable
{
    private Tensor? _empty;

    public string Name => name;

    public Parameter Parameter => parameter;

    public ParameterGroup Group => group;

    /// <summary>The number of steps that the parameter has taken.</summary>
    public long Steps { get; set; }

    /// <summary>The state, in the order of the optimizer's names; empty before the first step.</summary>
    public Tensor[] State { get; private set; } = [];

    /// <summary>Nothing, but with the parameter's version counter; made when a step needs it.</summary>
    public Tensor Empty => _empty ??= SharedVersion.Of(parameter);

    /// <summary>The gradient, checked against the parameter; null if there is none.</summary>
    /// <exception cref="InvalidOperationException">The parameter was disposed or reshaped, or the gradient doesn't fit it.</exception>
    public Tensor? Gradient()
    {
        RequireAlive();
        if (parameter.grad is not { } gradient)
        {
            return null;
        }

        if (State is [var state, ..] && !Fits(state))
        {
            throw new InvalidOperationException(
                $"Parameter '{name}' is {Describe(parameter)}, and its state {Describe(state)}: "
                + "make a new optimizer for a model whose shapes, type or device have changed.");
        }

        return Fitting(gradient.is_sparse ? gradient.to_dense() : gradient);
    }

    /// <exception cref="InvalidOperationException">The parameter was disposed.</exception>
    public void RequireAlive()
    {
        if (parameter.IsInvalid)
        {
            throw new InvalidOperationException(
                $"Parameter '{name}' was disposed, as model.to(…) does with every parameter: "
                + "make the optimizer after the model is moved.");
        }
    }

    /// <summary>The state, filled with zeros if there was none.</summary>
    public Tensor[] RequireState() =>
        State = State.Length > 0 ? State : [.. Enumerable.Range(0, states).Select(_ => zeros_like(parameter).DetachFromDisposeScope())];

    /// <summary>Replaces the state by tensors that the slot then owns.</summary>
    public void Replace(Tensor[] state, long steps)
    {
        foreach (var old in State)
        {
            old.Dispose();
        }

        (State, Steps) = (state, steps);
    }

    public void Dispose()
    {
        Replace([], 0);
        _empty?.Dispose();
    }

    private static string Describe(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}] on {tensor.device}";

    private Tensor Fitting(Tensor gradient) =>
        Fits(gradient)
            ? gradient
            : throw new InvalidOperationException(
                $"The gradient of '{name}' is {Describe(gradient)}, and the parameter {Describe(parameter)}. "
                + "If a pruner masks the weights, call step() after the scope of Mask() has ended.");

    // The shapes themselves are arrays, which would cost more than the fused step of a small tensor.
    private bool Fits(Tensor other)
    {
        var dimensions = parameter.dim();
        if (other.dtype != parameter.dtype || other.device_type != parameter.device_type || other.dim() != dimensions)
        {
            return false;
        }

        for (var i = 0; i < dimensions; i++)
        {
            if (other.size(i) != parameter.size(i))
            {
                return false;
            }
        }

        return true;
    }
}
