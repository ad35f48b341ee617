using System.Runtime.InteropServices;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Counting;

/// <summary>Tells on which parameters a model's output depends. No parameter requires a gradient until it is disposed.</summary>
internal sealed class OutputDependence : IDisposable
{
    private readonly Func<Tensor> _forward;
    private readonly (Parameter Parameter, bool RequiresGradient)[] _before;

    /// <param name="model">The model.</param>
    /// <param name="forward">Calls it.</param>
    /// <exception cref="ArgumentException">The model was created under inference_mode, and is unchanged.</exception>
    public OutputDependence(Module model, Func<Tensor> forward)
    {
        foreach (var (name, parameter) in model.named_parameters().Where(pair => pair.parameter.is_floating_point()))
            InferenceMode.Refuse(name, parameter, nameof(model));
        _forward = forward;
        _before =
        [
            .. model.parameters().Where(parameter => parameter.is_floating_point())
                .Select(parameter => (parameter, parameter.requires_grad)),
        ];
        Require(false);
    }

    /// <summary>Whether the output has a gradient at all, without which nothing can be told.</summary>
    public bool CanTell()
    {
        using var scope = NewDisposeScope();
        using var _ = enable_grad();
        Require(true);
        try
        {
            return Requires();
        }
        finally
        {
            Require(false);
        }
    }

    /// <summary>Whether the output depends on a parameter: it then requires a gradient when only the parameter does.</summary>
    public bool On(Parameter parameter)
    {
        using var scope = NewDisposeScope();
        using var _ = enable_grad();
        parameter.requires_grad = true;
        try
        {
            if (!Requires())
                return false;
        }
        finally
        {
            parameter.requires_grad = false;
        }

        // If the user's own input requires a gradient, the test says nothing.
        return !Requires();
    }

    public void Dispose()
    {
        foreach (var (parameter, requiresGradient) in _before)
            parameter.requires_grad = requiresGradient;
    }

    /// <exception cref="ArgumentException">Inputs or buffers were made under inference_mode, which autograd refuses.</exception>
    private bool Requires()
    {
        try
        {
            return _forward().requires_grad;
        }
        catch (ExternalException fault) when (fault.Message.Contains("Inference tensor", StringComparison.Ordinal))
        {
            throw new ArgumentException(
                "The inputs of the model, or tensors that it holds, such as buffers, were made under inference_mode, so gradients can't "
                + "show which layers and embeddings the output depends on: make or clone() them outside of it.", fault);
        }
    }

    private void Require(bool gradient)
    {
        foreach (var (parameter, _) in _before)
            parameter.requires_grad = gradient;
    }
}
