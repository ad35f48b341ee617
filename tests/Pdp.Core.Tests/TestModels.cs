using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>Small models, built outside dispose scopes as native-backed modules need it.</summary>
internal static class TestModels
{
    /// <summary>Three linear layers without biases that get in the way.</summary>
    public static Module<Tensor, Tensor> Mlp(int seed = 0)
    {
        manual_seed(seed);
        return Sequential(
            ("first", Linear(16, 32)), ("relu", ReLU()), ("second", Linear(32, 32)), ("relu2", ReLU()), ("last", Linear(32, 4)));
    }

    /// <summary>Convolutions with batch norm, whose counter of batches would race with the garbage collector.</summary>
    public static Module<Tensor, Tensor> Cnn(int seed = 0)
    {
        manual_seed(seed);
        var norm = BatchNorm2d(8);
        norm.num_batches_tracked = null;
        return Sequential(
            ("conv1", Conv2d(3, 8, 3, padding: 1)), ("norm", norm), ("relu", ReLU()),
            ("conv2", Conv2d(8, 8, 3, padding: 1)), ("pool", AdaptiveAvgPool2d(1)), ("flat", Flatten()), ("fc", Linear(8, 4)));
    }

    public static (Tensor Inputs, Tensor Labels) Batch(int seed, int size = 16, int inputs = 16)
    {
        using var generator = new Generator((ulong)seed);
        return (randn([size, inputs], generator: generator), randint(0, 4, [size], dtype: ScalarType.Int64, generator: generator));
    }

    /// <summary>All parameters as bytes, to compare bit for bit.</summary>
    public static byte[][] Bytes(Module model) => [.. model.parameters().Select(parameter => parameter.bytes.ToArray())];

    public static long Zeros(Tensor tensor) => tensor.numel() - tensor.count_nonzero().ReadCpuInt64(0);

    /// <summary>Plain SGD without implicit Scalars.</summary>
    public static void Step(Module model, double learningRate)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using Scalar factor = -learningRate;
        foreach (var parameter in model.parameters())
        {
            if (parameter.grad is { } gradient)
            {
                parameter.add_(gradient, factor);
                gradient.zero_();
            }
        }
    }

    /// <summary>A masked training step at an epoch; returns the loss.</summary>
    public static float Train(Module<Tensor, Tensor> model, PdpPruner pruner, double epoch, int seed, double learningRate = 0.1)
    {
        using var scope = NewDisposeScope();
        var (inputs, labels) = Batch(seed);
        pruner.BeginEpoch(epoch);
        float value;
        using (pruner.Mask())
        {
            var loss = functional.cross_entropy(model.call(inputs), labels);
            loss.backward();
            value = loss.ReadCpuSingle(0);
        }

        Step(model, learningRate);
        return value;
    }
}
