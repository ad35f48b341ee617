using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>The same masked steps of the same network on the CPU and on another device, and how far their results are apart.</summary>
internal static class DeviceBenchmark
{
    private const int Steps = 3;

    public static void Measure(Run run)
    {
        backends.cuda.matmul.allow_tf32 = false;
        backends.cudnn.allow_tf32 = false;
        foreach (var network in Cases.All.Where(run.Wants))
        {
            foreach (var strategy in Training.Strategies.Where(strategy => run.Wants($"{network.Name} {strategy.Name}")))
                Measure(network, strategy, new Device(run.Device));
        }
    }

    private static void Measure(Case network, IMaskStrategy strategy, Device device)
    {
        using var scope = NewDisposeScope();
        var small = network with { Inputs = [2, .. network.Inputs[1..]], Outputs = 2 * network.Outputs / network.Inputs[0] };
        var expected = Result(small, strategy, CPU);
        var actual = Result(small, strategy, device);
        Line.Write(
            "device",
            ("network", network.Name),
            ("strategy", strategy.Name),
            ("device", device.ToString()),
            ("first_masked_weights_apart", Distance(expected.First, actual.First)),
            ("first_gradients_apart", Distance(expected.Gradients, actual.Gradients)),
            ("committed_weights_apart", Distance(expected.Committed, actual.Committed)),
            ("zeros", expected.Committed.Sum(Zeros)),
            ("zeros_on_device", actual.Committed.Sum(Zeros)),
            ("zeros_elsewhere", expected.Committed.Zip(actual.Committed, Elsewhere).Sum()));
    }

    /// <summary>The masked weights and the gradients of the first step, and the weights that are committed after some.</summary>
    private static (Tensor[] First, Tensor[] Gradients, Tensor[] Committed) Result(Case network, IMaskStrategy strategy, Device device)
    {
        manual_seed(1);
        using var model = network.Model();
        var (inputs, labels) = (randn(network.Inputs), randint(0, network.Classes, [network.Outputs], dtype: ScalarType.Int64));
        var map = strategy is PerChannel && ChannelMap.Find(model, rand(network.Example)) is { Groups.Count: > 0 } found ? found : null;
        model.to(device);
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = 1,
            Sparsity = strategy.FixedSparsity ?? 0.8,
            Strategy = strategy,
            Channels = map is null ? null : ChannelMap.Find(model, rand(network.Example).to(device)),
            Schedule = new ConstantSparsity(),
        });
        using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 1e-3, Momentum = 0.9 });
        var (first, gradients) = (Array.Empty<Tensor>(), Array.Empty<Tensor>());
        for (var step = 0; step < Steps; step++)
        {
            pruner.BeginEpoch(0, step, Steps);
            optimizer.zero_grad();
            using (pruner.Mask())
            {
                if (step == 0)
                    first = Copies(model.parameters());
                functional.cross_entropy(model.call(inputs.to(device)), labels.to(device)).backward();
            }

            if (step == 0)
                gradients = Copies(model.parameters().Select(parameter => parameter.grad!));
            optimizer.step();
        }

        pruner.Commit();
        return (first, gradients, Copies(model.parameters()));
    }

    private static Tensor[] Copies(IEnumerable<Tensor> tensors) =>
        [.. tensors.Select(tensor => tensor.detach().to(ScalarType.Float64, CPU, copy: true))];

    /// <summary>The largest distance of two numbers over the largest number of their tensor.</summary>
    private static double Distance(Tensor[] expected, Tensor[] actual) =>
        expected.Zip(actual, (one, other) => (one - other).abs().max().ReadCpuDouble(0) / one.abs().max().ReadCpuDouble(0)).Max();

    private static long Zeros(Tensor tensor) => tensor.eq(0).sum().ReadCpuInt64(0);

    private static long Elsewhere(Tensor one, Tensor other) => one.eq(0).logical_xor(other.eq(0)).sum().ReadCpuInt64(0);
}
