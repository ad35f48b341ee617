using System.Diagnostics;
using Pdp.Samples.Models;
using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>
/// The forward pass of a ResNet50 without 54.9 % of its multiplications against the dense one, and what finding its channels
/// takes.
/// </summary>
internal static class ShrinkBenchmark
{
    private const double Budget = 0.549;

    public static void Measure(Run run)
    {
        using var dense = ResNet.ResNet50();
        dense.eval();
        foreach (var alignment in (int[])[1, 8, 16])
            Measure(run, dense, alignment);
    }

    private static void Measure(Run run, ResNet dense, int alignment)
    {
        using var scope = NewDisposeScope();
        using var shrunk = ResNet.ResNet50();
        using var picture = ones(1, 3, 224, 224);
        using var small = ones(1, 3, 32, 32);
        // With the channels last in memory, as the ImageNet sample has them, convolutions need no other order.
        using var batch = rand(8, 224, 224, 3).permute(0, 3, 1, 2);
        var before = MacCount.Of(dense, picture).Total;
        var start = Stopwatch.GetTimestamp();
        var map = ChannelMap.Find(shrunk, small);
        var discovery = Stopwatch.GetElapsedTime(start);
        using var process = Process.GetCurrentProcess();
        var peak = process.PeakWorkingSet64;
        Shrink(shrunk, map, picture, small, alignment);
        shrunk.eval();

        var rounds = run.IsQuick ? 7 : 15;
        var medians = Alternation.Medians(rounds, TimeSpan.MaxValue, () => Forward(dense, batch), () => Forward(shrunk, batch));
        Line.Write(
            "shrink",
            ("network", "ResNet50"),
            ("alignment", alignment),
            ("threads", run.Threads),
            ("rounds", rounds),
            ("discovery_seconds", discovery.TotalSeconds),
            ("peak_mib_so_far", peak / (double)(1 << 20)),
            ("macs_removed", 1 - (MacCount.Of(shrunk, picture).Total / (double)before)),
            ("dense_ms", medians[0]),
            ("shrunk_ms", medians[1]),
            ("dense_over_shrunk", medians[0] / medians[1]));
    }

    private static void Shrink(ResNet model, ChannelMap map, Tensor picture, Tensor small, int alignment)
    {
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = 1,
            Strategy = new PerChannel { RoundTo = alignment },
            Channels = map,
            Schedule = new ConstantSparsity(),
            Allocation = new MacBudget(Budget, map, MacCount.Of(model, picture)),
            Exclude = ["conv1", "*.conv3", "*.downsample.0", "fc"],
        });
        pruner.BeginEpoch(0);
        pruner.Commit();
        pruner.Shrink(small);
    }

    private static TimeSpan Forward(ResNet model, Tensor batch)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return Alternation.Time(() => model.call(batch));
    }
}
