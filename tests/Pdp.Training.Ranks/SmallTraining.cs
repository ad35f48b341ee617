using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Ranks;

/// <summary>A small network without batch norm, pruned for 20 steps of 64 examples, of which each rank takes its share.</summary>
public static class SmallTraining
{
    public const int Steps = 20;
    private const int Batch = 64;
    private const int Inputs = 24;

    /// <summary>Trains, and commits what it pruned.</summary>
    /// <param name="collective">The ranks.</param>
    /// <param name="sparsity">What is removed; null trains a dense network.</param>
    /// <param name="type">The type of the weights.</param>
    public static Outcome Run(ICollective collective, double? sparsity = null, ScalarType type = ScalarType.Float32)
    {
        ArgumentNullException.ThrowIfNull(collective);

        using var model = Sequential(Linear(Inputs, 48), Tanh(), Linear(48, 5)).to(type);
        Initialize(model, seed: 7 + collective.Rank);
        using var parallel = new DataParallel(model, collective, new DataParallelOptions { BucketMebibytes = 0.004 });
        using var optimizer = new FusedSgd(
            model.named_parameters(), new SgdOptions { LearningRate = 0.1, Momentum = 0.9, WeightDecay = 1e-3, IsNesterov = true });
        using var pruner = sparsity is null ? null : new PdpPruner(model, new PdpOptions { Sparsity = sparsity, Epochs = 4 });
        for (var step = 0; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            var (examples, labels) = Share(step, collective);
            pruner?.BeginEpoch(step / (Steps / 4), step % (Steps / 4), Steps / 4);
            optimizer.zero_grad();
            using (pruner is null ? default : pruner.Mask())
            {
                functional.cross_entropy(model.call(examples.to_type(type)), labels).backward();
            }

            parallel.AverageGradients();
            nn.utils.clip_grad_norm_(model.parameters(), 1);
            optimizer.step();
            Agreement.Require(collective, WeightsAndMasks(model, pruner));
        }

        return Finish(model, pruner);
    }

    // Thresholds and soft masks follow from the weights of the step.
    private static IEnumerable<(string Name, Tensor Tensor)> WeightsAndMasks(Sequential model, PdpPruner? pruner)
    {
        var weights = model.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
        return [
            .. weights.Select(entry => (entry.Key, (Tensor)entry.Value)),
            .. (pruner?.Masks ?? []).Select(mask => ($"{mask.Name}, threshold", mask.Threshold(weights[mask.Name]))),
            .. (pruner?.Masks ?? []).Select(mask => ($"{mask.Name}, mask", mask.Soft(weights[mask.Name]))),
        ];
    }

    // Other weights on each rank, until they get those of rank 0. Ranks that are threads share libtorch's global generator.
    private static void Initialize(Sequential model, int seed)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var generator = new Generator((ulong)seed);
        using var width = 0.2.ToScalar();
        foreach (var parameter in model.parameters())
        {
            parameter.copy_(randn(parameter.shape, generator: generator).mul_(width));
        }
    }

    private static Outcome Finish(Sequential model, PdpPruner? pruner)
    {
        using var scope = NewDisposeScope();
        double[] values = [.. model.parameters().SelectMany(Values)];
        var zeros = pruner?.Commit().Layers.Sum(layer => layer.Zeros) ?? 0;
        var masks = pruner is null ? "" : Hash(pruner.GetMasks().Values);
        return new Outcome(Hash(model.parameters()), masks, zeros, values);
    }

    private static (Tensor Examples, Tensor Labels) Share(int step, ICollective collective)
    {
        using var generator = new Generator((ulong)(100 + step));
        var (examples, labels) = (
            randn([Batch, Inputs], generator: generator), randint(5, [Batch], ScalarType.Int64, generator: generator));
        var share = Batch / collective.Size;
        return (examples.narrow(0, collective.Rank * share, share), labels.narrow(0, collective.Rank * share, share));
    }

    private static double[] Values(Tensor tensor) =>
        MemoryMarshal.Cast<byte, double>(tensor.detach().to_type(ScalarType.Float64).contiguous().bytes).ToArray();

    private static string Hash(IEnumerable<Tensor> tensors) =>
        Convert.ToHexString(SHA256.HashData([.. tensors.SelectMany(tensor => tensor.detach().contiguous().bytes.ToArray())]));
}
