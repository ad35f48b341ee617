using Pdp.Channels;
using Pdp.Sparse.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Packing;

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

    /// <summary>The layers of a model, each once.</summary>
    public static IReadOnlyList<Layer> Of(Module model) =>
    [
        .. ModelModules.Of(model).DistinctBy(pair => pair.Module)
            .Where(pair => pair.Module is TorchSharp.Modules.Linear or TorchSharp.Modules.Conv1d or TorchSharp.Modules.Conv2d)
            .Select(pair => new Layer(pair.Name, (Module<Tensor, Tensor>)pair.Module)),
    ];

    /// <summary>Why it can't be packed; null if it can.</summary>
    public string? Obstacle => SparseProduct.Obstacle(Weight, (Module as Convolution)?.groups ?? 1);

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

    // Same padding puts the smaller half before the picture, as libtorch does.
    private static ConvolutionAxis Axis(long kernel, long stride, long dilation, Padding? kind, long padding)
    {
        var total = kind == Padding.Same ? dilation * (kernel - 1) : 2 * padding;
        var before = total / 2;
        return new((int)stride, (int)before, (int)(total - before), (int)dilation);
    }
}
