using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Makes gradients dense, so that masks can be applied to them: those of sparse embeddings hold only some rows.</summary>
internal static class DenseGradient
{
    /// <summary>The gradient of a parameter, the caller's; null if there is none. A sparse one is replaced by its dense form.</summary>
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
