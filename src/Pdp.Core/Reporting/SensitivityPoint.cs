namespace Pdp;

/// <summary>A metric with one layer pruned.</summary>
public sealed record SensitivityPoint
{
    /// <summary>The fraction of the layer's weights that was removed: the level, down to whole weights, channels or blocks.</summary>
    /// <value>In [0, 1).</value>
    public required double Sparsity { get; init; }

    /// <summary>The metric; higher is better, and not a number is worse than any.</summary>
    public required double Metric { get; init; }
}
