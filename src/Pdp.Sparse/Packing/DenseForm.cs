using System.Runtime.InteropServices;
using Pdp.Sparse.Folding;
using Pdp.Sparse.Kernels;
using Pdp.Sparse.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Packing;

/// <summary>A dense layer computed by libtorch, with what is folded into it, and its weight's channels last if that is faster.</summary>
internal sealed class DenseForm : ISparseProduct
{
    private readonly Module<Tensor, Tensor> _module;
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private readonly Activation _activation;
    private readonly long[] _padding;

    /// <summary>Makes the dense form of a layer.</summary>
    /// <param name="layer">A layer for which <see cref="IsFor"/> holds.</param>
    /// <param name="fold">What is folded into it.</param>
    /// <param name="hasChannelsLast">Whether the channels of a two-dimensional convolution's weight are last in memory.</param>
    public DenseForm(Layer layer, LayerFold fold, bool hasChannelsLast)
    {
        using var scope = NewDisposeScope();
        using var normal = inference_mode(false);
        using var _ = no_grad();
        var (weight, bias) = fold.Apply(layer.Weight, layer.Bias);
        _module = layer.Module;
        _weight = (hasChannelsLast ? ChannelsLast(weight) : weight).DetachFromDisposeScope();
        _bias = bias?.DetachFromDisposeScope();
        _activation = fold.Kind;
        _padding = [.. layer.Axes().Select(axis => (long)axis.Before)];
    }

    /// <inheritdoc/>
    public long Bytes => 4 * (_weight.numel() + (_bias?.numel() ?? 0));

    /// <summary>Whether a layer can be computed like this: its padding is the same on both sides.</summary>
    public static bool IsFor(Layer layer) => layer.Axes().All(axis => axis.Before == axis.After);

    /// <inheritdoc/>
    public Tensor Run(Tensor input, Tensor? addend = null)
    {
        using var scope = NewDisposeScope();
        var product = Product(input);
        var result = _activation switch
        {
            Activation.Relu => functional.relu(product, inplace: true),
            Activation.Relu6 => functional.relu6(product, inplace: true),
            Activation.Gelu => functional.gelu(product),
            _ => product,
        };
        return result.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Unpack(Span<float> weight)
    {
        using var contiguous = _weight.contiguous();
        MemoryMarshal.Cast<byte, float>(contiguous.bytes).CopyTo(weight);
        GC.KeepAlive(contiguous);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _weight.Dispose();
        _bias?.Dispose();
    }

    private static Tensor ChannelsLast(Tensor weight) => weight.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    private Tensor Product(Tensor input) => _module switch
    {
        TorchSharp.Modules.Conv1d line =>
            functional.conv1d(input, _weight, _bias, line.stride[0], _padding[0], line.dilation[0], line.groups),
        TorchSharp.Modules.Conv2d picture =>
            functional.conv2d(input, _weight, _bias, picture.stride, _padding, picture.dilation, picture.groups),
        _ => functional.linear(input, _weight, _bias),
    };
}
