using Pdp.Sparse.Hooks;
using Pdp.Sparse.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Layers;

/// <summary>A linear layer or a convolution of a model.</summary>
/// <param name="Name">Its first name in the model; empty if it is the model itself.</param>
/// <param name="Module">The layer.</param>
internal sealed record Layer(string Name, Module<Tensor, Tensor> Module)
{
    /// <summary>The name of its weight.</summary>
    public string WeightName => Name.Length == 0 ? "weight" : $"{Name}.weight";

    /// <summary>The weight that it computes with.</summary>
    public Parameter Weight => LayerFields.Weight(Module)!;

    /// <summary>Its bias.</summary>
    public Parameter? Bias => LayerFields.Bias(Module);

    /// <summary>The groups of a convolution; 1 for a linear layer.</summary>
    public long Groups => (Module as Convolution)?.groups ?? 1;

    /// <summary>The number of dimensions of an input with a batch; for a linear layer, of one without further positions.</summary>
    public long Rank => Module is Convolution ? Weight.dim() : 2;

    /// <summary>Why hooks can't replace its computation, whatever its weight; null if they can.</summary>
    public string? Obstacle =>
        Module is Convolution { padding_mode: not PaddingModes.Zeros } padded ? $"it pads with {padded.padding_mode}, not with zeros"
        : LayerHooks.HasAny(Module) ? "it has hooks of its own, which would not see its tensors"
        : SparseProduct.Obstacle(Weight, groups: 1);

    /// <summary>Whether hooks can reach a module that has a weight.</summary>
    public static bool IsOne(Module module) =>
        module is TorchSharp.Modules.Linear or TorchSharp.Modules.Conv1d or TorchSharp.Modules.Conv2d;

    /// <summary>How a convolution's window moves; empty for a linear layer.</summary>
    public IReadOnlyList<ConvolutionAxis> Axes()
    {
        if (Module is not Convolution convolution)
            return [];
        return
        [
            .. Enumerable.Range(0, convolution.kernel_size.Length).Select(axis => Axis(
                convolution.kernel_size[axis], convolution.stride[axis], convolution.dilation[axis],
                convolution.padding_type, convolution.padding?[axis] ?? 0)),
        ];
    }

    /// <summary>Packs its weight, or one in its place.</summary>
    public ISparseProduct Pack(Tensor weight, Epilogue epilogue) => Module is TorchSharp.Modules.Linear
        ? SparseProduct.Linear(weight, epilogue)
        : SparseProduct.Convolution(weight, Axes(), epilogue);

    /// <summary>The shape of an empty batch of the smallest inputs.</summary>
    public long[] StubShape()
    {
        if (Module is not Convolution convolution)
            return [0, Weight.shape[1]];
        return
        [
            0, Weight.shape[1] * convolution.groups,
            .. convolution.kernel_size.Zip(convolution.dilation, (size, step) => (step * (size - 1)) + 1),
        ];
    }

    // Same padding puts the smaller half before the picture, as libtorch does.
    private static ConvolutionAxis Axis(long kernel, long stride, long dilation, Padding? kind, long padding)
    {
        var total = kind == Padding.Same ? dilation * (kernel - 1) : 2 * padding;
        var before = total / 2;
        return new((int)stride, (int)before, (int)(total - before), (int)dilation);
    }
}
