using Pdp.Channels.Probing;
using Pdp.Internal;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels;

/// <summary>Finds what multiplies in a model but is no layer's, so that watching the calls of layers can't count it.</summary>
internal static class UncountedWork
{
    /// <summary>What is not counted, in words.</summary>
    public static IReadOnlyList<string> Of(Module model, IReadOnlyList<ProbedLayer> layers, Func<Tensor> forward) =>
    [
        .. OtherMatrices(model, layers).Select(name => $"what '{name}' multiplies, which is no weight of a convolution, a linear layer or an attention module"),
        .. PlaceMixing.Find(model, layers, forward).Select(name => $"what mixes the places of the input of '{name}' outside of layers, as the products of queries, keys and values do"),
    ];

    /// <summary>Matrices that are no counted layer's; tables that are looked up in multiply nothing, and norms only element by element.</summary>
    private static IEnumerable<string> OtherMatrices(Module model, IReadOnlyList<ProbedLayer> layers)
    {
        var counted = layers.Select(layer => TensorAddress.OfNative(layer.Weight)).ToHashSet();
        HashSet<string> known =
        [
            .. ModelModules.Of(model).Where(pair => pair.Module is TorchSharp.Modules.Embedding or TorchSharp.Modules.EmbeddingBag or TorchSharp.Modules.LayerNorm or TorchSharp.Modules.MultiheadAttention)
                .SelectMany(pair => pair.Module.named_parameters().Select(own => ProbedLayer.Dotted(pair.Name, own.name))),
        ];
        return model.named_parameters()
            .Where(pair => pair.parameter.shape.Count(size => size > 1) > 1 && !known.Contains(pair.name) && !counted.Contains(TensorAddress.OfNative(pair.parameter)))
            .Select(pair => pair.name);
    }
}
