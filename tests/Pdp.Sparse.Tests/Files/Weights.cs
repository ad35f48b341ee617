using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

/// <summary>Weights with zeros, and a plan for a model that has some.</summary>
internal static class Weights
{
    /// <summary>The second convolution of <see cref="Pdp.Tests.Support.Nets.Convolutions"/> in a form, the first one as it is.</summary>
    public static SparsePlan PlanOf(LayerForm form) =>
        new([new() { Name = "3.weight", Shape = [16, 8, 3, 3], Form = form, Norm = form == LayerForm.Folded ? "4" : null }]);

    /// <summary>The largest of normally distributed weights.</summary>
    public static Tensor Unstructured(double sparsity, params long[] shape)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var values = randn(shape, generator: generator);
        var (kept, _) = values.abs().reshape(-1).topk((int)Math.Round((1 - sparsity) * values.numel()));
        return values.masked_fill(values.abs().lt(kept.min()), 0.ToScalar()).MoveToOuterDisposeScope();
    }

    /// <summary>Two of every four weights along dimension 1.</summary>
    public static Tensor TwoOfFour(params long[] shape)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var inputsLast = rand([shape[0], .. shape[2..], shape[1]], generator: generator).add(ones(1), 1.ToScalar());
        var groups = inputsLast.reshape(-1, 4);
        var (_, places) = groups.topk(2, dim: 1);
        var kept = zeros_like(groups).scatter(1, places, ones_like(groups));
        return groups.mul(kept).reshape(inputsLast.shape).movedim([-1], [1]).contiguous().MoveToOuterDisposeScope();
    }
}
