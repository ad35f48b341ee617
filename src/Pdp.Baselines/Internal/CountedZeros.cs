using static TorchSharp.torch;

namespace Pdp.Baselines.Internal;

/// <summary>Removes the zeros of each layer.</summary>
internal sealed record CountedZeros : ISparsityAllocation
{
    /// <summary>The number of zeros in a weight.</summary>
    public static long Of(Tensor weight)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return weight.numel() - weight.count_nonzero().cpu().ReadCpuInt64(0);
    }

    /// <inheritdoc/>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) =>
        layers.Sum(layer => Of(layer.Weight)) / (double)layers.Sum(layer => layer.Layout.Elements);

    /// <inheritdoc/>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove) =>
        [.. layers.Select(layer => Of(layer.Weight))];
}
