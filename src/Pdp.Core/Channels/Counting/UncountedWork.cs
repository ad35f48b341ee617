using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Counting;

/// <summary>Finds multiplications outside a model's layers, which can't be counted by watching the calls of layers.</summary>
internal static class UncountedWork
{
    /// <summary>Descriptions of what is not counted.</summary>
    public static IReadOnlyList<string> Of(Module model, IReadOnlyList<ProbedLayer> layers, Func<Tensor> forward) =>
    [
        .. OtherMatrices(model, layers).Concat(ReusedEmbeddings(model, layers, forward))
            .Select(name => $"products with '{name}', which is not a weight of a convolution, a linear layer or an attention module"),
        .. PositionMixing.Find(model, layers, forward).Select(name =>
            $"operations outside layers that mix positions of the input of '{name}', such as products of queries, keys and values"),
    ];

    /// <summary>
    /// Matrices that belong to no counted layer, except embeddings, which multiply nothing, and norms, which multiply elementwise.
    /// </summary>
    private static IEnumerable<string> OtherMatrices(Module model, IReadOnlyList<ProbedLayer> layers)
    {
        var counted = Counted(layers);
        HashSet<string> known =
        [
            .. ModelModules.Of(model).Where(pair => IsKnown(pair.Module))
                .SelectMany(pair => pair.Module.named_parameters().Select(own => ProbedLayer.Dotted(pair.Name, own.name))),
        ];
        return model.named_parameters()
            .Where(pair => pair.parameter.shape.Count(size => size > 1) > 1)
            .Where(pair => !known.Contains(pair.name) && !counted.Contains(TensorAddress.OfNative(pair.parameter)))
            .Select(pair => pair.name);
    }

    /// <summary>
    /// Embeddings whose weight the output depends on without their own calls, as where it is also the matrix of a language model's head.
    /// </summary>
    private static IReadOnlyList<string> ReusedEmbeddings(Module model, IReadOnlyList<ProbedLayer> layers, Func<Tensor> forward)
    {
        using var scope = NewDisposeScope();
        var counted = Counted(layers);
        var embeddings = ModelModules.Of(model)
            .Where(pair => pair.Module is Embedding embedding && !counted.Contains(TensorAddress.OfNative(embedding.weight!)))
            .Select(pair => (pair.Name, Module: (Embedding)pair.Module)).ToArray();
        if (embeddings.Length == 0)
            return [];

        // All at once, as two embeddings may share a weight.
        var hooks = embeddings.Select(pair => pair.Module.register_forward_hook((_, _, rows) => rows.detach())).ToArray();
        try
        {
            using var output = new OutputDependence(model, forward);
            return
            [
                .. embeddings.DistinctBy(pair => TensorAddress.OfNative(pair.Module.weight!))
                    .Where(pair => output.On(pair.Module.weight!)).Select(pair => ProbedLayer.Dotted(pair.Name, "weight")),
            ];
        }
        finally
        {
            foreach (var hook in hooks)
                hook.remove();
        }
    }

    private static HashSet<nint> Counted(IReadOnlyList<ProbedLayer> layers) =>
        [.. layers.Select(layer => TensorAddress.OfNative(layer.Weight))];

    private static bool IsKnown(Module module) => module
        is TorchSharp.Modules.Embedding
        or TorchSharp.Modules.EmbeddingBag
        or TorchSharp.Modules.LayerNorm
        or TorchSharp.Modules.MultiheadAttention;
}
