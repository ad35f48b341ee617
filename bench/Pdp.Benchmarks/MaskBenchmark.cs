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
    }

    /// <summary>Other N:M patterns against 2:4.</summary>
    private static void MeasureShapes(Run run)
    {
        using var scope = NewDisposeScope();
        NofM[] patterns = [NofM.Keep(2, of: 4), NofM.Keep(1, of: 4), NofM.Keep(4, of: 8), NofM.Keep(2, of: 8)];
        var medians = Alternation.Medians(21, run.Budget(quick: 10, full: 60), [.. patterns.Select(Stepping)]);
        foreach (var (pattern, median) in patterns.Zip(medians))
            Line.Write("mask", ("strategy", pattern.Name), ("threads", run.Threads), ("fused_ms", median), ("over_2of4", median / medians[0]));
    }

    private static Func<TimeSpan> Stepping(NofM pattern)
    {
        var model = new Layered();
        var pruner = new PdpPruner(model, Options(pattern));
        var pruned = Pruned(model, pruner);
        Tensor[] gradients = [.. pruned.Select(weight => randn(weight.shape))];
        Tensor[] arriving = [.. gradients.Select(gradient => gradient.clone())];
        pruner.BeginEpoch(0);
        for (var i = 0; i < 10; i++)
            Step(pruner, pruned, gradients, arriving);
        return () => Step(pruner, pruned, gradients, arriving);
    }

    /// <summary>The milliseconds of passes from the first one in the process on.</summary>
    public static double[] Passes(IMaskStrategy strategy, int count)
    {
        using var scope = NewDisposeScope();
        using var model = new Layered();
        using var pruner = new PdpPruner(model, Options(strategy));
        var pruned = Pruned(model, pruner);
        Tensor[] gradients = [.. pruned.Select(weight => randn(weight.shape))];
        Tensor[] arriving = [.. gradients.Select(gradient => gradient.clone())];
        pruner.BeginEpoch(0);
        return [.. Enumerable.Range(0, count).Select(_ => Step(pruner, pruned, gradients, arriving).TotalMilliseconds)];
    }

    private static void Measure(IMaskStrategy strategy, Run run)
    {
        using var scope = NewDisposeScope();
        using var model = new Layered();
        using var other = new Layered();
        using var fused = new PdpPruner(model, Options(strategy));
        using var tensors = new PdpPruner(other, Options(new TensorPath(strategy)));
        var (pruned, others) = (Pruned(model, fused), Pruned(other, tensors));
        Tensor[] gradients = [.. pruned.Select(weight => randn(weight.shape))];
        Tensor[] arriving = [.. gradients.Select(gradient => gradient.clone())];
        var wholeModel = strategy is Unstructured;
        fused.BeginEpoch(0);
        tensors.BeginEpoch(0);
        for (var i = 0; i < 5; i++)
            Step(fused, pruned, gradients, arriving);

        var medians = Alternation.Medians(
            21,
            run.Budget(quick: 10, full: 60),
            () => Step(fused, pruned, gradients, arriving),
            () => Step(tensors, others, gradients, arriving),
            () => Autograd(i => fused.Masks[i].Apply(pruned[i]), pruned, gradients),
            () => wholeModel ? Autograd(i => PquantFormulation.Masked(pruned[i], fused.Masks[i].Removed, Half, Tau), pruned, gradients) : TimeSpan.Zero);
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
            ("pquant_ms", medians[3]),
            ("autograd_over_fused", medians[2] / medians[0]),
            ("pquant_over_fused", medians[3] / medians[0]),
            ("tensor_path_over_fused", medians[1] / medians[0]),
            ("floor_ms", FloorMilliseconds(bytes)));
    }

    private static Parameter[] Pruned(Layered model, PdpPruner pruner)
    {
        var weights = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        return [.. pruner.Masks.Select(mask => weights[mask.Name])];
    }

    /// <summary>Enter and exit; the gradient of the masked weight is there as if backward had left it.</summary>
    private static TimeSpan Step(PdpPruner pruner, Parameter[] weights, Tensor[] gradients, Tensor[] arriving)
    {
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i].grad = null;
            // Corrected again and again the same numbers would become subnormal.
            arriving[i].copy_(gradients[i]);
        }

        return Alternation.Time(() =>
        {
            using var scope = pruner.Mask();
            for (var i = 0; i < weights.Length; i++)
                weights[i].grad = arriving[i];
        });
    }

    /// <summary>The masked weights as functions of the weights, and back through them; the threshold is searched in both alike.</summary>
    private static TimeSpan Autograd(Func<int, Tensor> masked, Parameter[] weights, Tensor[] gradients)
    {
        foreach (var weight in weights)
            weight.grad = null;
        return Alternation.Time(() =>
        {
            using var scope = NewDisposeScope();
            Tensor[] products = [.. weights.Select((_, i) => masked(i))];
            autograd.backward(products, gradients);
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

    private static PdpOptions Options(IMaskStrategy strategy) => new()
    {
        Epochs = 1,
        Sparsity = strategy.FixedSparsity ?? 0.9,
        Strategy = strategy,
        Include = ["*"],
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Absolute(1e-4),
    };
}
