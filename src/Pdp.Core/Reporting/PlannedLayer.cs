namespace Pdp;

/// <summary>The plan for a weight.</summary>
public sealed record PlannedLayer
{
    /// <summary>The parameter's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its shape, such as <c>[64, 16, 3, 3]</c>.</summary>
    public required string Shape { get; init; }

    /// <summary>The number of its weights.</summary>
    public required long Elements { get; init; }

    /// <summary>The strategy's name; null if it stays dense.</summary>
    public required string? Strategy { get; init; }

    /// <summary>The rule that applies to it; null if none does.</summary>
    public required string? Rule { get; init; }

    /// <summary>Why it stays dense; null if it is pruned.</summary>
    public required string? DenseReason { get; init; }

    /// <summary>The number of weights finally removed.</summary>
    public required long Removed { get; init; }

    /// <summary>The final bytes of the weight in a file of Pdp.Sparse, without its entries in the header.</summary>
    /// <value>Null for further names of a tied weight, and in plans of earlier versions.</value>
    public long? FileBytes { get; init; }

    /// <summary>The number of weights finally kept.</summary>
    public long Kept => Elements - Removed;

    /// <summary>The fraction finally removed, in [0, 1).</summary>
    public double Sparsity => Elements == 0 ? 0 : (double)Removed / Elements;

    /// <summary>The error in a plan that was read; null if there is none.</summary>
    internal string? Fault =>
        Elements < 0 || Removed < 0 || Removed > Elements ? $"it removes {Removed} of {Elements} weights"
        : DenseReason is null == Strategy is null ? "it has a strategy and a reason to stay dense, or neither"
        : DenseReason is not null && Removed > 0 ? $"it stays dense but loses {Removed} weights"
        : null;
}
