using Pdp.Allocation;
using Pdp.Internal;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>
/// Ranks the weights of all layers together by layer-adaptive magnitude (LAMP): a weight's square over the sum of the squares of its
/// layer's weights that are not smaller, w² / Σ v² over |v| ≥ |w|.
/// </summary>
/// <remarks>
/// Lee et al., Layer-adaptive Sparsity for the Magnitude-based Pruning, ICLR 2021, equation 2; the floor is ours. The score is the share of
/// what is left of the layer that would be lost with the weight. It doesn't change when a layer is scaled, and the largest weight of each
/// layer has 1, the largest score there is. Layers with like weights keep about as many of them, so that a large layer keeps a smaller
/// share than a small one. Weights of equal magnitude count one after the other. The scores of an <see cref="PdpOptions.Importance"/>, and
/// those that weights of a block or channel share, take the place of magnitudes.
/// </remarks>
public sealed record LayerAdaptiveMagnitude : ISparsityAllocation
{
    /// <summary>The least density of a layer, relative to the average density of the layers that are ranked together.</summary>
    /// <value>In [0, 1]; default 0.2, as of <see cref="GlobalMagnitude.DensityFloor"/>. 0 is the source's ranking alone.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside of [0, 1].</exception>
    public double DensityFloor { get; init => field = Guard.Share(value); } = 0.2;

    /// <inheritdoc/>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

    /// <inheritdoc/>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        AllocationRange.Require(layers, remove);

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var scored = layers.Select(layer => layer with { Weight = LayerAdaptiveScores.Of(layer.Weight) });
        return new GlobalMagnitude { DensityFloor = DensityFloor }.Allocate([.. scored], remove);
    }

    /// <inheritdoc/>
    public string Describe() => DensityFloor == 0
        ? nameof(LayerAdaptiveMagnitude)
        : $"{nameof(LayerAdaptiveMagnitude)} with a density floor of {InvariantText.Of(DensityFloor)}";
}
