using Pdp.Allocation;

namespace Pdp;

/// <summary>The same sparsity in every layer, exact to one weight.</summary>
public sealed record UniformSparsity : ISparsityAllocation
{
    /// <inheritdoc/>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

    /// <inheritdoc/>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        AllocationRange.Require(layers, remove);
        return Proportional.Allocate(layers, remove, (layer, sparsity) => sparsity * layer.Layout.Elements, from: 0, to: 1);
    }

    /// <inheritdoc/>
    public string Describe() => nameof(UniformSparsity);
}
