using Pdp.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>A step of the shipped optimizers against TorchSharp's own, on many small tensors and on few large ones.</summary>
internal static class OptimizerBenchmark
{
    private static readonly (int Count, int Side)[] Sizes = [(100, 64), (100, 8), (20, 512), (4, 2048)];

    public static void Measure(Run run)
    {
        foreach (var (count, side) in Sizes)
        {
            Measure("sgd", count, side, run, Stock, parameters => new FusedSgd(parameters, Options));
            Measure(
                "adamw", count, side, run,
                parameters => optim.AdamW(parameters, 1e-6),
                parameters => new FusedAdamW(parameters, new AdamOptions { LearningRate = 1e-6 }));
        }
    }

    private static SgdOptions Options => new() { LearningRate = 1e-6, Momentum = 0.9, WeightDecay = 1e-4, IsNesterov = true };

    private static optim.Optimizer Stock(IEnumerable<(string, Parameter)> parameters) => optim.SGD(
        parameters.Select(entry => entry.Item2).ToArray(), Options.LearningRate, Options.Momentum, weight_decay: Options.WeightDecay,
        nesterov: true);

    private static void Measure(
        string kind, int count, int side, Run run,
        Func<IEnumerable<(string, Parameter)>, optim.Optimizer> makeStock, Func<IEnumerable<(string, Parameter)>, optim.Optimizer> makeOurs)
    {
        if (!run.Wants($"{kind} {count}x{side}"))
            return;

        using var stock = makeStock(Parameters(count, side));
        using var ours = makeOurs(Parameters(count, side));
        var steps = Math.Max(1, 1_000_000 / (count * side * side));
        var times = Alternation.Medians(15, run.Budget(quick: 3, full: 10), () => Step(stock, steps), () => Step(ours, steps));
        Line.Write(
            "optimizer",
            ("kind", kind),
            ("tensors", count),
            ("elements", side * side),
            ("threads", run.Threads),
            ("stock_us", 1000 * times[0] / steps),
            ("pdp_us", 1000 * times[1] / steps),
            ("ratio", times[0] / times[1]));
    }

    private static (string, Parameter)[] Parameters(int count, int side)
    {
        var parameters = Enumerable.Range(0, count).Select(i => ($"p{i}", new Parameter(randn(side, side)))).ToArray();
        foreach (var (_, parameter) in parameters)
            parameter.grad = randn(side, side);
        return parameters;
    }

    // Stock optimizers need a region without collections to be measured to the end.
    private static TimeSpan Step(optim.Optimizer optimizer, int steps)
    {
        var time = TimeSpan.Zero;
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            Collector.Hold(() => time += Alternation.Time(() => optimizer.step()));
        }

        return time;
    }
}
