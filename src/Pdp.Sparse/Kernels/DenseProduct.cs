using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Kernels;

/// <summary>The product by libtorch.</summary>
internal sealed class DenseProduct : ISparseProduct
{
    private static readonly Scalar One = 1.ToScalar();
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private readonly IReadOnlyList<ConvolutionAxis> _axes;
    private readonly Activation _activation;

    public DenseProduct(Tensor weight, IReadOnlyList<ConvolutionAxis> axes, Epilogue epilogue)
    {
        using var _ = no_grad();
        _weight = weight.detach().clone().DetachFromDisposeScope();
        _bias = epilogue.Bias?.detach().clone().DetachFromDisposeScope();
        _axes = axes;
        _activation = epilogue.Activation;
    }

    /// <inheritdoc/>
    public long Bytes => 4 * (_weight.numel() + (_bias?.numel() ?? 0));

    /// <inheritdoc/>
    public Tensor Run(Tensor input, Tensor? addend = null)
    {
        using var scope = NewDisposeScope();
        var product = Product(input);
        if (addend is not null)
            product = product.add(addend, One);
        var result = _activation switch
        {
            Activation.Relu => functional.relu(product),
            Activation.Relu6 => functional.relu6(product),
            Activation.Gelu => functional.gelu(product),
            _ => product,
        };
        return result.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _weight.Dispose();
        _bias?.Dispose();
    }

    private Tensor Product(Tensor input)
    {
        if (_axes.Count == 0)
            return functional.linear(input, _weight, _bias);
        var padded = functional.pad(input, [.. _axes.Reverse().SelectMany(axis => new long[] { axis.Before, axis.After })]);
        long[] strides = [.. _axes.Select(axis => (long)axis.Stride)];
        long[] dilations = [.. _axes.Select(axis => (long)axis.Dilation)];
        return _axes.Count == 1
            ? functional.conv1d(padded, _weight, _bias, strides[0], 0, dilations[0])
            : functional.conv2d(padded, _weight, _bias, strides, [0, 0], dilations);
    }
}
