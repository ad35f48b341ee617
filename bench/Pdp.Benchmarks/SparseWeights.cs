using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>Draws the weights of a network and removes the small ones.</summary>
internal static class SparseWeights
{
    /// <summary>What stands before the sparsity of all layers together.</summary>
    private const string Global = "global:";

    /// <summary>The sparsities that are measured: a pattern, of each layer, and of all layers together.</summary>
    public static readonly string[] Sparsities = ["2:4", "0.8", "0.9", "0.95", "global:0.8", "global:0.9", "global:0.95"];

    /// <summary>Removes weights.</summary>
    /// <remarks>
    /// Each layer loses the same share, or all together lose one by one threshold. The latter leaves more to some layers than to others: to
    /// those of few inputs here, as these weights are drawn and not trained.
    /// </remarks>
    public static void Prune(Module model, string sparsity, IReadOnlyCollection<string> dense)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        // Depthwise weights have one input each.
        Tensor[] weights =
        [
            .. model.named_parameters().Where(pair => pair.parameter.dim() >= 2 && pair.parameter.size(1) > 1 && !dense.Contains(pair.name))
                .Select(pair => pair.parameter),
        ];
        var all = sparsity.StartsWith(Global, StringComparison.Ordinal)
            ? Threshold(cat([.. weights.Select(weight => weight.abs().flatten())]), sparsity[Global.Length..])
            : null;
        foreach (var weight in weights)
            weight.copy_(where(all is null ? Mask(weight, sparsity) : weight.abs().gt(all), weight, zeros_like(weight)));
    }

    /// <summary>Draws biases and norms: as zeros and ones they would take less room in a file than trained ones.</summary>
    public static void DrawVectors(Module model)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var vector in model.state_dict().Values.Where(tensor => tensor.dim() == 1 && tensor.is_floating_point()))
            vector.copy_(rand_like(vector).add_(full_like(vector, 0.5f)));
    }

    /// <summary>What the largest of the elements that go is.</summary>
    private static Tensor Threshold(Tensor magnitudes, string sparsity)
    {
        var removed = (long)(magnitudes.numel() * double.Parse(sparsity, System.Globalization.CultureInfo.InvariantCulture));
        return removed == 0 ? zeros(1).sub(ones(1)) : magnitudes.flatten().kthvalue(removed, 0).values;
    }

    private static Tensor Mask(Tensor weight, string sparsity)
    {
        var magnitudes = weight.abs();
        if (sparsity != "2:4")
            return magnitudes.gt(Threshold(magnitudes, sparsity));

        // Groups of four inputs; a convolution's are neighbouring channels.
        var inputsLast = magnitudes.movedim([1], [-1]);
        var groups = inputsLast.reshape([.. inputsLast.shape[..^1], -1, 4]);
        var mask = groups.gt(groups.kthvalue(2, -1, keepdim: true).values);
        return mask.reshape(inputsLast.shape).movedim([-1], [1]);
    }
}
