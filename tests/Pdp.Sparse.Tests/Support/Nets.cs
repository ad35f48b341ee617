using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Small pruned networks.</summary>
internal static class Nets
{
    private static readonly Scalar OneHalf = 0.5.ToScalar();

    /// <summary>
    /// Convolutions with batch norms and activations, and a linear layer, the same at each call. Layers are called by index.
    /// </summary>
    public static Sequential Convolutions()
    {
        manual_seed(5);
        var model = Sequential(
            Conv2d(3, 8, 3, padding: 1), BatchNorm2d(8), ReLU(),
            Conv2d(8, 16, 3, stride: 2, padding: 1, bias: false), BatchNorm2d(16), ReLU(inplace: true),
            AdaptiveAvgPool2d(1), Flatten(), Linear(16, 4));
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var norm in model.modules().OfType<BatchNorm2d>())
        {
            norm.running_mean!.copy_(randn(norm.num_features));
            norm.running_var!.copy_(rand(norm.num_features).add(ones(1)));
            norm.weight.copy_(randn(norm.num_features));
            norm.bias!.copy_(randn(norm.num_features));
        }

        return Pruned.Prune(model, 0.6);
    }

    /// <summary>The same layers with 0.5 for all parameters and running statistics.</summary>
    public static Sequential Blank()
    {
        var model = Convolutions();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var tensor in model.parameters().Concat<Tensor>(model.buffers()).Where(tensor => tensor.is_floating_point()))
            tensor.fill_(OneHalf);
        return model;
    }

    /// <summary>Pictures for it.</summary>
    public static Tensor Picture(long batch = 2, long size = 9)
    {
        using var random = new Generator(3, CPU);
        return randn([batch, 3, size, size], generator: random);
    }
}
