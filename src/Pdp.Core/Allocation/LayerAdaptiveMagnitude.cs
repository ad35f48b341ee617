using Pdp.Allocation;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>
/// Ranks the weights of all layers together by layer-adaptive magnitude (LAMP): a weight's square over the sum of the squares of its layer's
/// weights that are not smaller, w² / Σ v² over |v| ≥ |w|.
/// </summary>
/// <remarks>
/// Lee et al., Layer-adaptive Sparsity for the Magnitude-based Pruning, ICLR 2021, equation 2. The score is the share of what is left of the
/// layer that would be lost with the weight. It doesn't change when a layer is scaled, and the largest weight of a layer has 1, the largest
/// score there is, so that no layer is emptied and the ranking needs no floor. Weights of equal magnitude count one after the other.
/// </remarks>
public sealed record LayerAdaptiveMagnitude : ISparsityAllocation
{
    private static readonly GlobalMagnitude Ranking = new() { DensityFloor = 0 };

    /// <inheritdoc/>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

    /// <inheritdoc/>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        AllocationRange.Require(layers, remove);

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Ranking.Allocate([.. layers.Select(layer => layer with { Weight = LayerAdaptiveScores.Of(layer.Weight) })], remove);
    }

    /// <inheritdoc/>
    public string Describe() => nameof(LayerAdaptiveMagnitude);
}
