using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>Draws the weights of a network and removes the small ones.</summary>
internal static class SparseWeights
{
    /// <summary>The sparsities that are measured; 2:4 stands for a pattern.</summary>
    public static readonly string[] Sparsities = ["2:4", "0.8", "0.9", "0.95"];

    /// <summary>Removes weights.</summary>
    /// <remarks>
    /// Each layer loses the same share. One threshold for all would leave more to some layers than to others, depending on the
    /// training, and these weights are not trained.
    /// </remarks>
    public static void Prune(Module model, string sparsity, IReadOnlyCollection<string> dense)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (name, weight) in model.named_parameters())
        {
            // Depthwise weights have one input each.
            if (weight.dim() >= 2 && weight.size(1) > 1 && !dense.Contains(name))
                weight.copy_(where(Mask(weight, sparsity), weight, zeros_like(weight)));
        }
    }

    private static Tensor Mask(Tensor weight, string sparsity)
    {
        var magnitudes = weight.abs();
        if (sparsity != "2:4")
        {
            var removed = (long)(weight.numel() * double.Parse(sparsity, System.Globalization.CultureInfo.InvariantCulture));
            return magnitudes.gt(magnitudes.flatten().kthvalue(removed, 0).values);
        }

        // Groups of four inputs; a convolution's are neighbouring channels.
        var inputsLast = magnitudes.movedim([1], [-1]);
        var groups = inputsLast.reshape([.. inputsLast.shape[..^1], -1, 4]);
        var mask = groups.gt(groups.kthvalue(2, -1, keepdim: true).values);
        return mask.reshape(inputsLast.shape).movedim([-1], [1]);
    }
}
