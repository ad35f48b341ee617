using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Gradients that masks can be applied to: those of sparse embeddings hold some rows only.</summary>
internal static class DenseGradient
{
    /// <summary>The gradient of a parameter, the caller's, made dense in its place where it was sparse; null if there is none.</summary>
    public static Tensor? Of(Parameter parameter)
    {
        var gradient = parameter.grad;
        if (gradient is null || !gradient.is_sparse)
            return gradient;

        using (gradient)
            parameter.grad = gradient.to_dense();
        return parameter.grad;
    }
}
