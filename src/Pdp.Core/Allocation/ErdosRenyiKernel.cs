using Pdp.Allocation;

namespace Pdp;

/// <summary>The Erdős–Rényi kernel: a layer's density is proportional to the sum of its dimensions over their product, at most 1.</summary>
/// <remarks>Evci et al., Rigging the Lottery, 2020. Small layers stay denser than large ones, whatever their magnitudes.</remarks>
public sealed record ErdosRenyiKernel : ISparsityAllocation
{
    /// <inheritdoc/>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

    /// <inheritdoc/>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        AllocationRange.Require(layers, remove);

        // A layer keeps scale·Σdims weights, so all layers are dense from scale = max(n/Σdims) on; the dial is minus the scale.
        var dense = layers.Max(layer => layer.Layout.Elements / (double)layer.Layout.Shape.Sum());
        return Proportional.Allocate(
            layers, remove, (layer, dial) => layer.Layout.Elements + (dial * layer.Layout.Shape.Sum()), from: -dense, to: 0);
    }

    /// <inheritdoc/>
    public string Describe() => nameof(ErdosRenyiKernel);
}
