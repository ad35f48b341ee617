using Pdp.Sparse;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>Where the time of packed layers and networks goes, and what it can't go below on this machine.</summary>
/// <remarks>
/// The bare side has the same plan and no weight left: copies, hooks, tensors, and whatever is not packed. What the packed one takes more
/// are products. Their floor is that of each layer: its multiply-adds at the rate of numbers in registers, or its bytes at the rate at
/// which memory of the size of all packed layers is read, whichever takes longer.
/// </remarks>
internal static class FloorBenchmark
{
    public static void Measure(Run run)
    {
        var multiplyAdds = run.Threads * Machine.MultiplyAdds();
        foreach (var subject in SparseCase.Layers.Concat(SparseCase.Networks).Where(subject => run.Wants(subject.Name)))
        {
            if (run.IsQuick && !subject.IsQuick && run.Only.Length == 0)
                continue;
            foreach (var sparsity in run.Sparsities ?? ["0.9", "0.95"])
                Measure(run, subject, sparsity, multiplyAdds);
        }
    }

    private static void Measure(Run run, SparseCase subject, string sparsity, double rate)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var input = randn(subject.Input);
        using var plain = SparseBenchmark.Model(subject, sparsity);
        using var dense = SparseBenchmark.Model(subject, sparsity);
        using var packed = SparseBenchmark.Model(subject, sparsity);
        using var bare = SparseBenchmark.Model(subject, "1");
        using var fast = SparseModel.Pack(packed, input, new SparseOptions { MaximumSeconds = run.IsQuick ? 1 : 3 });
        using var folded = SparseBenchmark.Folded(dense, fast.Plan);
        using var empty = SparseModel.Pack(bare, fast.Plan);
        var work = PackedWork.Of(plain, input, fast.Report);
        var read = run.Threads * Machine.BytesRead((long)work.Sum(layer => layer.Bytes));
        double Floor(PackedWork layer) => Math.Max(layer.MultiplyAdds / rate, layer.Bytes / read);

        var medians = Alternation.Medians(
            run.IsQuick ? 15 : 31, run.Budget(quick: 2, full: 6), () => SparseBenchmark.Forward(dense, input),
            () => SparseBenchmark.Forward(packed, input), () => SparseBenchmark.Forward(bare, input));
        var layers = Times(run, work, packed, bare);
        var products = medians[1] - medians[2];
        var floor = work.Sum(Floor);
        Line.Write(
            "floor",
            ("case", subject.Name),
            ("sparsity", sparsity),
            ("threads", run.Threads),
            ("dense_ms", medians[0]),
            ("packed_ms", medians[1]),
            ("bare_ms", medians[2]),
            ("packed_layers_ms", layers[0].Sum()),
            ("products_ms", products),
            ("multiply_add_floor_ms", work.Sum(layer => layer.MultiplyAdds) / rate),
            ("byte_floor_ms", work.Sum(layer => layer.Bytes) / read),
            ("floor_ms", floor),
            ("products_over_floor", products / floor),
            ("dense_over_floor", medians[0] / (medians[2] + floor)),
            ("multiply_adds_ns", rate / 1e6),
            ("bytes_ns", read / 1e6));
        if (work.Count > 1)
            WriteKinds(run, subject, sparsity, work, Floor, layers);
        work.ForEach(layer => layer.Dispose());
    }

    /// <summary>
    /// The times of each layer in both models, called one layer after the other, so that the caches have what they have in a network.
    /// </summary>
    private static double[][] Times(Run run, List<PackedWork> work, params Module<Tensor, Tensor>[] models)
    {
        (Module<Tensor, Tensor> Module, Tensor Input)[] layers =
        [
            .. models.Select(PackedWork.ModulesOf).SelectMany(modules => work.Select(layer => (modules[layer.Module], layer.Input))),
        ];
        var medians = Alternation.Medians(
            run.IsQuick ? 15 : 31, run.Budget(quick: 2, full: 6),
            [.. layers.Select(layer => (Func<TimeSpan>)(() => SparseBenchmark.Forward(layer.Module, layer.Input)))]);
        return [.. medians.Chunk(work.Count)];
    }

    private static void WriteKinds(
        Run run, SparseCase subject, string sparsity, List<PackedWork> work, Func<PackedWork, double> floorOf, double[][] times)
    {
        foreach (var kind in work.Index().GroupBy(pair => pair.Item.Kind))
        {
            Line.Write(
                "floor",
                ("case", subject.Name),
                ("sparsity", sparsity),
                ("threads", run.Threads),
                ("weight", kind.Key),
                ("layers", kind.Count()),
                ("packed_ms", kind.Sum(pair => times[0][pair.Index])),
                ("bare_ms", kind.Sum(pair => times[1][pair.Index])),
                ("floor_ms", kind.Sum(pair => floorOf(pair.Item))));
        }
    }
}
