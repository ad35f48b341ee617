using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>Two parameters, and optimizers of each kind that train them on fixed gradients.</summary>
internal static class OptimizerScene
{
    public static TheoryData<string> Kinds => ["sgd", "plain sgd", "adam", "adamw", "amsgrad"];

    public static (string Name, Parameter Parameter)[] Fixed()
    {
        using var generator = new Generator(3);
        return [("v", new Parameter(randn(3, 4, generator: generator))), ("w", new Parameter(randn(3, 4, generator: generator)))];
    }

    public static FusedOptimizer Make(string kind, IEnumerable<(string, Parameter)> parameters) => kind switch
    {
        "sgd" => new FusedSgd(parameters, new SgdOptions { LearningRate = 0.1, Momentum = 0.9, WeightDecay = 0.01, IsNesterov = true }),
        "plain sgd" => new FusedSgd(parameters, new SgdOptions { LearningRate = 0.1 }),
        "adam" => new FusedAdam(parameters, new AdamOptions { WeightDecay = 0.01 }),
        "adamw" => new FusedAdamW(parameters, new AdamOptions()),
        _ => new FusedAdamW(parameters, new AdamOptions { UsesAmsGrad = true }),
    };

    public static void Train(FusedOptimizer optimizer, (string Name, Parameter Parameter)[] parameters, int from, int to)
    {
        using var scope = NewDisposeScope();
        for (var step = from; step < to; step++)
        {
            using var generator = new Generator((ulong)step);
            foreach (var (_, parameter) in parameters)
                parameter.grad = randn(3, 4, generator: generator);
            optimizer.step();
        }
    }

    public static void Copy((string Name, Parameter Parameter)[] from, (string Name, Parameter Parameter)[] to)
    {
        using var noGrad = no_grad();
        foreach (var (source, target) in from.Zip(to))
            target.Parameter.copy_(source.Parameter);
    }

    public static byte[] Bytes((string Name, Parameter Parameter)[] parameters) =>
        [.. parameters.SelectMany(entry => entry.Parameter.bytes.ToArray())];
}
