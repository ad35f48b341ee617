using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Counting;

/// <summary>Finds multiplications outside a model's layers, which can't be counted by watching the calls of layers.</summary>
internal static class UncountedWork
{
    /// <summary>Descriptions of what is not counted.</summary>
    public static IReadOnlyList<string> Of(Module model, IReadOnlyList<ProbedLayer> layers, Func<Tensor> forward) =>
    [
        .. OtherMatrices(model, layers)
            .Select(name => $"products with '{name}', which is not a weight of a convolution, a linear layer or an attention module"),
        .. PositionMixing.Find(model, layers, forward).Select(name =>
            $"operations outside layers that mix positions of the input of '{name}', such as products of queries, keys and values"),
    ];

    /// <summary>
    /// Matrices that belong to no counted layer, except embeddings, which multiply nothing, and norms, which multiply elementwise.
    /// </summary>
    private static IEnumerable<string> OtherMatrices(Module model, IReadOnlyList<ProbedLayer> layers)
    {
        var counted = layers.Select(layer => TensorAddress.OfNative(layer.Weight)).ToHashSet();
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

    private static bool IsKnown(Module module) => module
        is TorchSharp.Modules.Embedding
        or TorchSharp.Modules.EmbeddingBag
        or TorchSharp.Modules.LayerNorm
        or TorchSharp.Modules.MultiheadAttention;
}
