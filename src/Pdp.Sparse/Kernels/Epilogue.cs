using static TorchSharp.torch;

namespace Pdp.Sparse.Kernels;

/// <summary>What happens to a product before it is written: y = activation(W·x + bias + addend).</summary>
/// <param name="Bias">One number for each output, or none; it is copied.</param>
/// <param name="Activation">The function applied last.</param>
internal sealed record Epilogue(Tensor? Bias = null, Activation Activation = Activation.None)
{
    /// <summary>The bare product.</summary>
    public static readonly Epilogue None = new();
}
