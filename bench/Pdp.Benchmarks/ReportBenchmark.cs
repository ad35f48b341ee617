using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>What is done once: making a pruner of 21 M weights, its plan, a report, and a commit.</summary>
internal static class ReportBenchmark
{
    private const int Width = 1448;
    private const int Layers = 10;

    public static void Measure(Run run)
    {
        foreach (var strategy in (IMaskStrategy[])[new Unstructured(), NofM.Keep(2, of: 4), new PerChannel()])
        {
            if (run.Wants(strategy.Name))
                Measure(strategy, run);
        }
    }

    private static void Measure(IMaskStrategy strategy, Run run)
    {
        using var model = Sequential(
            [.. Enumerable.Range(0, Layers).Select(
                layer => ($"layer{layer}", (Module<Tensor, Tensor>)Linear(Width, Width, hasBias: false)))]);
        var (sparsity, schedule) = (strategy.FixedSparsity ?? 0.9, new ConstantSparsity());
        var options = new PdpOptions { Epochs = 1, Sparsity = sparsity, Strategy = strategy, Schedule = schedule };
        var times = Alternation.Medians(
            7,
            run.Budget(quick: 5, full: 30),
            () => Alternation.Time(() => new PdpPruner(model, options).Dispose()),
            () => OfBegun(model, options, pruner => pruner.Plan()),
            () => OfBegun(model, options, pruner => pruner.Report()));
        using var last = new PdpPruner(model, options);
        last.BeginEpoch(0);
        Line.Write(
            "report",
            ("strategy", strategy.Name),
            ("weights", last.Masks.Sum(mask => mask.Layout.Elements)),
            ("threads", run.Threads),
            ("constructor_ms", times[0]),
            ("plan_ms", times[1]),
            ("report_ms", times[2]),
            ("commit_ms", Alternation.Time(() => last.Commit()).TotalMilliseconds));
    }

    private static TimeSpan OfBegun(Module model, PdpOptions options, Action<PdpPruner> action)
    {
        using var pruner = new PdpPruner(model, options);
        pruner.BeginEpoch(0);
        return Alternation.Time(() => action(pruner));
    }
}
