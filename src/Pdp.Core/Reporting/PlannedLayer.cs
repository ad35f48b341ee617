namespace Pdp;

/// <summary>What will happen to a weight.</summary>
public sealed record PlannedLayer
{
    /// <summary>The parameter's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its shape, such as <c>[64, 16, 3, 3]</c>.</summary>
    public required string Shape { get; init; }

    /// <summary>Its weights.</summary>
    public required long Elements { get; init; }

    /// <summary>The strategy's name; null if it stays dense.</summary>
    public required string? Strategy { get; init; }

    /// <summary>The rule that is for it; null if none is.</summary>
    public required string? Rule { get; init; }

    /// <summary>Why it stays dense; null if it is pruned.</summary>
    public required string? DenseReason { get; init; }

    /// <summary>The weights to be removed in the end.</summary>
    public required long Removed { get; init; }

    /// <summary>The weights to be kept in the end.</summary>
    public long Kept => Elements - Removed;

    /// <summary>The fraction removed in the end, in [0, 1).</summary>
    public double Sparsity => Elements == 0 ? 0 : (double)Removed / Elements;

    /// <summary>What is wrong with a plan that was read; null where nothing is.</summary>
    internal string? Fault =>
        Elements < 0 || Removed < 0 || Removed > Elements ? $"it removes {Removed} of {Elements} weights"
        : DenseReason is null == Strategy is null ? "it has a strategy and a reason to stay dense, or neither"
        : DenseReason is not null && Removed > 0 ? $"it stays dense and loses {Removed} weights"
        : null;
}
