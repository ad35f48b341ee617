namespace Pdp.Baselines.Internal;

/// <summary>Asks for no sparsity; for methods whose sparsity is an outcome.</summary>
internal sealed record EmergentSparsity : ISparsityAllocation
{
    /// <inheritdoc/>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => 0;

    /// <inheritdoc/>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        ArgumentNullException.ThrowIfNull(layers);
        return new long[layers.Count];
    }
}
