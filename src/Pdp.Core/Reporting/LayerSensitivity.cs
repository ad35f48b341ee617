namespace Pdp;

/// <summary>How a model's metric falls as one layer is pruned alone.</summary>
public sealed record LayerSensitivity
{
    /// <summary>Takes 0.9 and 0.89 for 0.01 apart, which as binary fractions are a rounding error more.</summary>
    private const double Slack = 1e-9;

    /// <summary>The parameter's name; of tied channels that of the first.</summary>
    public required string Name { get; init; }

    /// <summary>The strategy's name.</summary>
    public required string Strategy { get; init; }

    /// <summary>The layer's weights.</summary>
    public required long Elements { get; init; }

    /// <summary>The metric at each level, in the order of <see cref="SensitivityReport.Levels"/>.</summary>
    public required IReadOnlyList<SensitivityPoint> Points { get; init; }

    /// <summary>The rule that the scan's options have for the layer.</summary>
    internal LayerRule? Rule { get; init; }

    /// <summary>Whether a pattern or the rule fixes the layer's sparsity.</summary>
    internal bool IsFixed { get; init; }

    /// <summary>The largest sparsity that those options allow.</summary>
    internal double MaximumSparsity { get; init; } = 1;

    /// <summary>The largest sparsity that was measured without a drop of the metric by more than so much, there and below.</summary>
    internal double Tolerated(double dense, double maximumDrop) =>
        Points.TakeWhile(point => dense - point.Metric <= maximumDrop + Slack).Select(point => point.Sparsity).LastOrDefault();
}
