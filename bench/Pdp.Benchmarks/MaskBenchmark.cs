using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>Everything that pruning does to 11.2 M weights in 20 layers in one step, forward and backward.</summary>
internal static class MaskBenchmark
{
    private static readonly Tensor Half = tensor(0.5f).DetachFromDisposeScope();
    private static readonly Tensor Tau = tensor(1e-4f).DetachFromDisposeScope();

    public static void Measure(Run run)
    {
        foreach (var strategy in (IMaskStrategy[])[new Unstructured(), NofM.Keep(2, of: 4)])
        {
            if (run.Wants(strategy.Name))
                Measure(strategy, run);
        }

        if (run.Wants("shapes"))
            MeasureShapes(run);
        if (run.Wants("radial"))
            MeasureRadialCorrection(run);
    }

    /// <summary>Gradients that are corrected along the weights, against those that are not.</summary>
    private static void MeasureRadialCorrection(Run run)
    {
        var plain = Temperature.Relative(0.25);
        foreach (var strategy in (IMaskStrategy[])[new Unstructured(), NofM.Keep(2, of: 4)])
        {
            using var scope = NewDisposeScope();
            var medians = Alternation.Medians(
                21,
                run.Budget(quick: 10, full: 60),
                Stepping(new(strategy, temperature: plain)),
                Stepping(new(strategy, temperature: plain.WithRadialCorrection())));
            Line.Write(
                "mask",
                ("strategy", strategy.Name),
                ("threads", run.Threads),
                ("plain_ms", medians[0]),
                ("corrected_ms", medians[1]),
                ("corrected_over_plain", medians[1] / medians[0]));
        }
    }

    /// <summary>Other N:M patterns against 2:4.</summary>
    private static void MeasureShapes(Run run)
    {
        using var scope = NewDisposeScope();
        NofM[] patterns = [NofM.Keep(2, of: 4), NofM.Keep(1, of: 4), NofM.Keep(4, of: 8), NofM.Keep(2, of: 8)];
        var medians = Alternation.Medians(21, run.Budget(quick: 10, full: 60), [.. patterns.Select(pattern => Stepping(new(pattern)))]);
        foreach (var (pattern, median) in patterns.Zip(medians))
            Line.Write("mask", ("strategy", pattern.Name), ("threads", run.Threads), ("fused_ms", median),
                ("over_2of4", median / medians[0]));
    }

    private static Func<TimeSpan> Stepping(MaskPasses passes)
    {
        for (var i = 0; i < 10; i++)
            passes.Pass();
        return passes.Pass;
    }

    private static void Measure(IMaskStrategy strategy, Run run)
    {
        using var scope = NewDisposeScope();
        using var fused = new MaskPasses(strategy);
        using var tensors = new MaskPasses(new TensorPath(strategy));
        var (pruned, masks) = (fused.Weights, fused.Pruner.Masks);
        for (var i = 0; i < 5; i++)
            fused.Pass();

        Func<TimeSpan>[] sides = [fused.Pass, tensors.Pass, () => Autograd(i => masks[i].Apply(pruned[i]), pruned, fused.Gradients)];
        Func<TimeSpan>[] ofOneThreshold =
        [
            () => Autograd(i => PlainMask.Masked(pruned[i], masks[i], Tau), pruned, fused.Gradients),
            () => Autograd(i => PquantFormulation.Masked(pruned[i], masks[i].Removed, Half, Tau), pruned, fused.Gradients),
        ];
        var medians = Alternation.Medians(
            21, run.Budget(quick: 10, full: 60), strategy is Unstructured ? [.. sides, .. ofOneThreshold] : sides);
        var (plain, pquant) = medians is [_, _, _, var first, var second] ? ((double?)first, (double?)second) : (null, null);
        var bytes = pruned.Sum(weight => weight.numel() * sizeof(float));
        Line.Write(
            "mask",
            ("strategy", strategy.Name),
            ("weights", bytes / sizeof(float)),
            ("layers", pruned.Length),
            ("threads", run.Threads),
            ("fused_ms", medians[0]),
            ("tensor_path_ms", medians[1]),
            ("autograd_ms", medians[2]),
            ("plain_ms", plain),
            ("pquant_ms", pquant),
            ("autograd_over_fused", medians[2] / medians[0]),
            ("plain_over_fused", plain / medians[0]),
            ("pquant_over_fused", pquant / medians[0]),
            ("tensor_path_over_fused", medians[1] / medians[0]),
            ("floor_ms", FloorMilliseconds(bytes)));
    }

    /// <summary>The masked weights as functions of the weights, and back through them; the threshold is searched in both alike.</summary>
    private static TimeSpan Autograd(Func<int, Tensor> masked, Parameter[] weights, IReadOnlyList<Tensor> gradients)
    {
        foreach (var weight in weights)
            weight.grad = null;
        return Alternation.Time(() =>
        {
            using var scope = NewDisposeScope();
            Tensor[] products = [.. weights.Select((_, i) => masked(i))];
            autograd.backward(products, [.. gradients]);
        });
    }

    /// <summary>The bytes that have to be moved, over the bandwidth of a copy of as many weights.</summary>
    /// <remarks>Read w to find t; read w, write w and ŵ; read w and ŵ and g, write w and g: nine streams, a copy has two.</remarks>
    private static double FloorMilliseconds(long bytes)
    {
        using var scope = NewDisposeScope();
        var (from, to) = (randn(bytes / sizeof(float)), zeros(bytes / sizeof(float)));
        return 4.5 * Alternation.Medians(9, TimeSpan.FromSeconds(2), () => Alternation.Time(() => to.copy_(from)))[0];
    }
}
