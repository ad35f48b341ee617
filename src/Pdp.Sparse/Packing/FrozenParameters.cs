using Pdp.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Packing;

/// <summary>Keeps a model's parameters from requiring gradients until this is disposed.</summary>
/// <remarks>
/// A backward pass through a packed model then fails at once, instead of training the layers that happen to be dense, and calling the
/// model without <c>no_grad</c> is no error. Parameters that <c>to</c> replaced in the meantime are found by their names.
/// </remarks>
internal sealed class FrozenParameters : IDisposable
{
    private readonly Module _model;
    private readonly HashSet<string> _trained;

    /// <summary>Freezes a model.</summary>
    public FrozenParameters(Module model)
    {
        _model = model;
        _trained = ModelParameters.Of(model).Where(pair => pair.Parameter.requires_grad).Select(pair => pair.Name)
            .ToHashSet(StringComparer.Ordinal);
        Set(false);
    }

    public void Dispose() => Set(true);

    private void Set(bool requiresGradient)
    {
        // Parameters that were made in inference mode can be set only there.
        using var _ = inference_mode();
        foreach (var pair in ModelParameters.Of(_model))
        {
            if (_trained.Contains(pair.Name) && pair.Parameter.is_floating_point())
                pair.Parameter.requires_grad = requiresGradient;
        }
    }
}
