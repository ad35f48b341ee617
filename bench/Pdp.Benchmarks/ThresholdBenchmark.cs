using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>The two order statistics of a layer: ours in steady training and from a cold start, kthvalue, topk, sort, and a copy.</summary>
internal static class ThresholdBenchmark
{
    private static readonly long[] Sizes = [10_000, 100_000, 1_000_000, 2_359_296, 16_777_216];

    public static void Measure(Run run)
    {
        foreach (var size in Sizes)
        {
            if (run.IsQuick && size is not (10_000 or 2_359_296))
                continue;
            foreach (var kind in Weights.Kinds.Where(kind => run.Wants($"{kind} {size}")))
                Measure(kind, size, run);
        }
    }

    private static void Measure(string kind, long size, Run run)
    {
        using var scope = NewDisposeScope();
        using var grad = no_grad();
        Tensor[] steps = [Weights.Of(kind, size), null!];
        steps[1] = Weights.Later(kind, steps[0]);
        var magnitudes = steps[0].abs();
        var copy = steps[0].clone();
        var removed = Weights.Removed(size);
        var search = new RankSearch((int)Math.Clamp(size / 32, 1 << 13, 1 << 18), new ParallelRunner()) { Threads = run.Threads };
        var bracket = new KeyBracket();
        var step = 0;
        for (var i = 0; i < 20; i++)
            Find(search, steps[step++ % 2], removed, bracket);

        // What takes microseconds is measured in batches.
        var batch = (int)Math.Clamp(2_000_000 / size, 1, 100);
        var medians = Alternation.Medians(
            101,
            run.Budget(quick: 2.5, full: 15),
            () => Batched(batch, () => Find(search, steps[step++ % 2], removed, bracket)),
            () => Batched(batch, () => Find(search, steps[step++ % 2], removed, new KeyBracket())),
            () => Batched(batch, () => magnitudes.kthvalue(removed, 0)),
            () => Batched(batch, () => magnitudes.topk((int)(size - removed), 0)),
            () => Alternation.Time(() => Disposing(() => magnitudes.sort())),
            () => Batched(batch, () => copy.copy_(steps[0])));
        var (steady, cold, kthvalue, topk, sort, copied) = (medians[0], medians[1], medians[2], medians[3], medians[4], medians[5]);
        Line.Write(
            "threshold",
            ("data", kind),
            ("elements", size),
            ("threads", run.Threads),
            ("steady_ms", steady),
            ("cold_ms", cold),
            ("kthvalue_ms", kthvalue),
            ("topk_ms", topk),
            ("sort_ms", sort),
            ("copy_ms", copied),
            ("steady_ns_per_element", 1e6 * steady / size),
            ("kthvalue_over_steady", kthvalue / steady),
            ("topk_over_steady", topk / steady),
            ("sort_over_steady", sort / steady),
            ("kthvalue_over_cold", kthvalue / cold),
            ("steady_over_copy", steady / copied));
    }

    private static unsafe void Find(RankSearch search, Tensor weights, long removed, KeyBracket bracket)
    {
        fixed (byte* bits = weights.bytes)
            search.Find((int*)bits, weights.numel(), removed - 1, bracket, out var _, out var _);
        GC.KeepAlive(weights);
    }

    private static TimeSpan Batched(int batch, Action action) => Alternation.Time(() =>
    {
        for (var i = 0; i < batch; i++)
            Disposing(action);
    }) / batch;

    private static void Disposing(Action action)
    {
        using var scope = NewDisposeScope();
        action();
    }

    private static void Disposing(Func<object> action)
    {
        using var scope = NewDisposeScope();
        action();
    }
}
