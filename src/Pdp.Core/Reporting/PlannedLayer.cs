namespace Pdp.Reporting;

/// <summary>What will happen to a weight.</summary>
/// <param name="Name">The parameter's name.</param>
/// <param name="Shape">Its shape, such as <c>[64, 16, 3, 3]</c>.</param>
/// <param name="Elements">Its weights.</param>
/// <param name="Strategy">The strategy's name; null if it stays dense.</param>
/// <param name="Rule">The rule that is for it; null if none is.</param>
/// <param name="DenseReason">Why it stays dense; null if it is pruned.</param>
/// <param name="Removed">The weights to be removed in the end.</param>
public sealed record PlannedLayer(
    string Name, string Shape, long Elements, string? Strategy, string? Rule, string? DenseReason, long Removed)
{
    /// <summary>The weights to be kept in the end.</summary>
    public long Kept => Elements - Removed;

    /// <summary>The fraction removed in the end, in [0, 1).</summary>
    public double Sparsity => Elements == 0 ? 0 : (double)Removed / Elements;
}
