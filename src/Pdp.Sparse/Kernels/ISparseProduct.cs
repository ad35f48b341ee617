using static TorchSharp.torch;

namespace Pdp.Sparse.Kernels;

/// <summary>A layer's product, computed from its nonzeros, in float32 on the CPU. Several threads may call it at once.</summary>
internal interface ISparseProduct : IDisposable
{
    /// <summary>The memory of the packed weight and bias.</summary>
    long Bytes { get; }

    /// <summary>activation(W·input + bias + addend); the result is the caller's.</summary>
    /// <param name="input">
    /// Float32 on the CPU, [..., in] for a linear layer, [in, width], [batch, in, width], [in, height, width] or
    /// [batch, in, height, width] for a convolution; in any layout.
    /// </param>
    /// <param name="addend">What is added before the activation, of the result's shape.</param>
    /// <exception cref="ArgumentException">A shape, a dtype or a device does not fit.</exception>
    Tensor Run(Tensor input, Tensor? addend = null);

    /// <summary>Writes the weight that it computes with, row by row, into zeroed memory.</summary>
    /// <param name="weight">As many numbers as the weight has.</param>
    void Unpack(Span<float> weight);
}
