using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>Steps after a commit, the same for any type of the weights.</summary>
internal static class CommittedSteps
{
    /// <summary>Weights inside of and after a scope, and gradients after it, with earlier ones, of two steps after a commit.</summary>
    public static double[] Of(string kind, string strategyName, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var model = Layer(kind);
        model.to(type);
        Fill(model, 1);
        using var pruner = new PdpPruner(model, Options(StrategyOf(strategyName)) with
        {
            Channels = strategyName == "tied channels" ? ChannelMap.Find(model, ones(2, 3, 12, 12, dtype: type)) : null,
        });
        pruner.BeginEpoch(0);
        pruner.Commit();
        var seen = new List<double>();
        Parameter[] parameters = [.. model.parameters()];
        for (var step = 1; step <= 2; step++)
        {
            Fill(model, 2 * step);
            using (pruner.Mask())
            {
                seen.AddRange(parameters.SelectMany(Values));
                foreach (var (parameter, i) in parameters.Select((parameter, i) => (parameter, i)))
                    parameter.grad = Numbers(parameter, (100 * step) + i);
            }

            seen.AddRange(parameters.SelectMany(Values));
            seen.AddRange(parameters.SelectMany(parameter => Values(parameter.grad!)));
        }

        return [.. seen];
    }

    public static PdpOptions Options(IMaskStrategy strategy) => new()
    {
        Epochs = 4,
        Sparsity = strategy.FixedSparsity is null ? 0.5 : null,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
        Strategy = strategy,
    };

    private static IEnumerable<double> Values(Tensor tensor) => tensor.to_type(ScalarType.Float32).Values();

    private static void Fill(Module model, int seed)
    {
        using var _ = no_grad();
        foreach (var (parameter, i) in model.parameters().Select((parameter, i) => (parameter, i)))
            parameter.copy_(Numbers(parameter, seed + (10 * i)));
    }

    /// <summary>Normal numbers that float32 represents exactly.</summary>
    private static Tensor Numbers(Tensor like, int seed) =>
        Tensors.Of(Tensors.Normal(seed, like.numel()), like.shape, ScalarType.Float32).to_type(like.dtype);

    private static IMaskStrategy StrategyOf(string name) => name switch
    {
        "unstructured" => new Unstructured(),
        "2:4" => NofM.Keep(2, of: 4),
        "block" => new Block(2, 1),
        _ => new PerChannel(),
    };

    private static Module<Tensor, Tensor> Layer(string kind) => kind switch
    {
        "odd" => Linear(7, 6, hasBias: false),
        "several pieces" => Linear(260, 258, hasBias: false),
        "conv" => Conv2d(5, 6, 3, bias: false),
        "transposed" => ConvTranspose2d(6, 8, 3, bias: false),
        _ => Sequential(
            ("conv1", Conv2d(3, 16, 3)), ("norm", BatchNorm2d(16)), ("act", ReLU()), ("conv2", Conv2d(16, 8, 3)),
            ("pool", AdaptiveAvgPool2d(1)), ("flat", Flatten()), ("head", Linear(8, 4))),
    };
}
