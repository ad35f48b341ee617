using Pdp.Sparse;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>Layers and networks on their nonzeros against the same ones dense.</summary>
/// <remarks>
/// The dense side has the same norms and activations folded into its layers, and its convolutions have the channels of their weights last
/// in memory. The plain one is the model as it is.
/// </remarks>
internal static class SparseBenchmark
{
    public static void Measure(Run run)
    {
        foreach (var subject in SparseCase.Layers.Concat(SparseCase.Networks).Where(subject => run.Wants(subject.Name)))
        {
            if (run.IsQuick && !subject.IsQuick && run.Only.Length == 0)
                continue;
            foreach (var sparsity in run.Sparsities ?? (run.IsQuick ? ["0.9", "0.95"] : SparseWeights.Sparsities))
                Measure(run, subject, sparsity);
        }
    }

    private static void Measure(Run run, SparseCase subject, string sparsity)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var input = randn(subject.Input);
        using var plain = Model(subject, sparsity);
        using var dense = Model(subject, sparsity);
        using var packed = Model(subject, sparsity);
        var smaller = StoredFile.Smaller(packed);
        var options = new SparseOptions { MaximumSeconds = run.IsQuick ? 1 : 3 };
        using var fast = SparseModel.Pack(packed, input, options);
        using var folded = Folded(dense, fast.Plan);
        var error = Error(packed.call(input), plain.call(input));
        var rounds = run.IsQuick ? 15 : 31;
        var medians = Alternation.Medians(
            rounds, run.Budget(quick: 2, full: 6), () => Forward(plain, input), () => Forward(dense, input), () => Forward(packed, input));
        Line.Write(
            "sparse",
            ("case", subject.Name),
            ("sparsity", sparsity),
            ("threads", run.Threads),
            ("plain_ms", medians[0]),
            ("dense_ms", medians[1]),
            ("packed_ms", medians[2]),
            ("dense_over_packed", medians[1] / medians[2]),
            ("plain_over_packed", medians[0] / medians[2]),
            ("packed_layers", fast.Report.Layers.Count(layer => layer.Form == LayerForm.Packed)),
            ("layers", fast.Report.Layers.Count),
            ("memory", fast.Report.Bytes / (double)fast.Report.DenseBytes),
            ("resident", Resident(packed, fast)),
            ("file_smaller", smaller),
            ("error", error));
    }

    /// <summary>
    /// The memory that parameters take, over that of dense ones: what is in use less when the model is packed once more, with all code
    /// compiled.
    /// </summary>
    private static double Resident(Module<Tensor, Tensor> model, SparseModel packed)
    {
        packed.Unpack();
        var bytes = model.parameters().Sum(parameter => parameter.numel() * parameter.element_size());
        var inUse = Heap.InUse();
        using var again = SparseModel.Pack(model, packed.Plan);
        return (bytes + Heap.InUse() - inUse) / (double)bytes;
    }

    private static SparseLayerPlan Dense(SparseLayerPlan layer) =>
        layer with { Form = layer.Shape.Count == 4 ? LayerForm.ChannelsLast : LayerForm.Folded };

    /// <summary>A dense model, with the same folding as a packed one's.</summary>
    public static SparseModel Folded(Module<Tensor, Tensor> model, SparsePlan plan) =>
        SparseModel.Pack(model, new SparsePlan([.. plan.Layers.Select(Dense)]));

    public static Module<Tensor, Tensor> Model(SparseCase subject, string sparsity)
    {
        using var normal = inference_mode(false);
        manual_seed(1);
        var model = subject.Model();
        SparseWeights.Prune(model, sparsity, subject.Dense);
        SparseWeights.DrawVectors(model);
        model.eval();
        return model;
    }

    /// <summary>The largest difference over the largest output.</summary>
    private static double Error(Tensor actual, Tensor expected) =>
        actual.sub(expected).abs().max().ReadCpuSingle(0) / expected.abs().max().ReadCpuSingle(0);

    public static TimeSpan Forward(Module<Tensor, Tensor> model, Tensor input)
    {
        using var scope = NewDisposeScope();
        return Alternation.Time(() => model.call(input));
    }
}
