using System.Diagnostics;
using Pdp.Sparse;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>
/// Networks of few zeros and of many, packed by choice, against the same ones as they are: packing is never to make one slower.
/// </summary>
internal static class PackingBenchmark
{
    private const int Warm = 2;
    private const int Fewest = 9;

    private static readonly string[] Sparsities = ["0", "0.1", "0.3", "0.5", "0.6", "0.7"];

    public static void Measure(Run run)
    {
        var smallest = double.PositiveInfinity;
        foreach (var subject in SparseCase.Networks.Where(subject => run.Wants(subject.Name)))
        {
            if (run.IsQuick && !subject.IsQuick && run.Only.Length == 0)
                continue;
            foreach (var sparsity in run.Sparsities ?? Sparsities)
                smallest = Math.Min(smallest, Measure(run, subject, sparsity));
        }

        Line.Write("packing", ("case", "smallest"), ("threads", run.Threads), ("plain_over_packed", smallest));
    }

    private static double Measure(Run run, SparseCase subject, string sparsity)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var input = randn(subject.Input);
        using var plain = SparseBenchmark.Model(subject, sparsity);
        using var packed = SparseBenchmark.Model(subject, sparsity);
        using var fast = SparseModel.Pack(packed, input, new SparseOptions { MaximumSeconds = run.IsQuick ? 2 : 6 });
        var times = Times(run.Budget(quick: 3, full: 6), plain, packed, input);
        var ratio = Alternation.Median(times.Select(pair => pair.Plain / pair.Packed));
        Line.Write(
            "packing",
            ("case", subject.Name),
            ("sparsity", sparsity),
            ("threads", run.Threads),
            ("plain_ms", Alternation.Median(times.Select(pair => pair.Plain))),
            ("packed_ms", Alternation.Median(times.Select(pair => pair.Packed))),
            ("plain_over_packed", ratio),
            ("packed_layers", fast.Report.Layers.Count(layer => layer.Form == LayerForm.Packed)),
            ("layers", fast.Report.Layers.Count));
        return ratio;
    }

    /// <summary>The times of calls one behind the other, as what slows a machine down lasts longer than those of small networks.</summary>
    private static List<(double Plain, double Packed)> Times(
        TimeSpan budget, Module<Tensor, Tensor> plain, Module<Tensor, Tensor> packed, Tensor input)
    {
        List<(double Plain, double Packed)> times = [];
        var start = Stopwatch.GetTimestamp();
        while (times.Count < Fewest || Stopwatch.GetElapsedTime(start) < budget)
            times.Add((SparseBenchmark.Forward(plain, input).TotalMilliseconds, SparseBenchmark.Forward(packed, input).TotalMilliseconds));
        return times[Warm..];
    }
}
