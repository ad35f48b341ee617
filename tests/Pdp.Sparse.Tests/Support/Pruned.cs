using System.Security.Cryptography;
using Pdp.Sparse.Layers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Models with zeros in all layers, and what packing must not change.</summary>
internal static class Pruned
{
    private static readonly Scalar Zero = 0f.ToScalar();

    /// <summary>Packs everything that can be packed, whatever it gains.</summary>
    public static Sparse.SparseOptions Everything { get; } = new() { Include = [LayerMatch.Where(_ => true)], MaximumSeconds = 0.01 };

    /// <summary>Makes the smallest weights of each layer zero.</summary>
    public static T Prune<T>(T model, double sparsity)
        where T : Module
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var weight in model.parameters().Where(parameter => parameter.dim() > 1))
        {
            var count = (int)(sparsity * weight.numel());
            var (_, smallest) = weight.abs().flatten().topk(count, largest: false, sorted: false);
            weight.copy_(weight.flatten().index_fill(0, smallest, Zero).view(weight.shape));
        }

        model.eval();
        return model;
    }

    /// <summary>Packs everything that can be packed, if there is anything.</summary>
    public static Sparse.SparseOptions EverythingOf(Module model) =>
        WeightEntry.Of(model).Any(weight => weight.Obstacle is null) ? Everything : Everything with { Include = [] };

    /// <summary>All parameters and buffers of a model, bit for bit.</summary>
    public static IReadOnlyList<string> Bits(Module model) =>
        [.. model.state_dict().Select(pair => $"{pair.Key} {Convert.ToHexString(SHA256.HashData(pair.Value.contiguous().bytes))}")];

    /// <summary>Whether an output is another one but for rounding: 1e-5 of its largest element.</summary>
    public static bool IsClose(Tensor output, Tensor expected)
    {
        using var scope = NewDisposeScope();
        var error = output.sub(expected).abs().max().ToDouble();
        return output.shape.SequenceEqual(expected.shape) && error <= 1e-5 * Math.Max(expected.abs().max().ToDouble(), 1e-30);
    }
}
