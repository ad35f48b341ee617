using Pdp.Strategies;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>Every weight of a layer competes with every other; the score is w².</summary>
public sealed record Unstructured : IMaskStrategy
{
    /// <inheritdoc/>
    public string Name => "unstructured";

    /// <inheritdoc/>
    public double? FixedSparsity => null;

    /// <inheritdoc/>
    public string? UnsupportedReason(WeightLayout layout) => null;

    /// <inheritdoc/>
    public Grouping GroupingOf(WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return new(1, layout.Elements);
    }

    /// <inheritdoc/>
    public long Removed(long target, double fraction) => Counts.Floor(target, fraction);

    /// <inheritdoc/>
    public Tensor Magnitude(Tensor weight, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(weight);

        using var absolute = weight.abs();
        return Sum(absolute, layout);
    }

    /// <inheritdoc/>
    public Tensor Sum(Tensor values, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(values);
        return values.reshape(1, -1);
    }

    /// <inheritdoc/>
    public Tensor Spread(Tensor grouped, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(grouped);
        ArgumentNullException.ThrowIfNull(layout);
        return grouped.reshape(layout.Dimensions);
    }

    /// <inheritdoc/>
    public double ScoreSlope(WeightLayout layout) => 1;

    /// <inheritdoc/>
    public string Describe() => Name;
}
