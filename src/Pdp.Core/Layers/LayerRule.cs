using Pdp.Internal;

namespace Pdp;

/// <summary>Overrides settings for the weights that a match selects; settings left null are those of the options.</summary>
/// <remarks>
/// If several rules match a weight, the first one applies. If weights share a mask, because they are tied or their channels belong
/// together, a rule for one of them applies to all, and of several rules for them the first one in the list. A rule that never applies is
/// an error.
/// </remarks>
public sealed record LayerRule
{
    /// <summary>Makes a rule.</summary>
    /// <param name="match">The weights that it applies to; a string is a name pattern.</param>
    public LayerRule(LayerMatch match) => Match = Guard.NotNull(match, nameof(match));

    /// <summary>The weights that it applies to.</summary>
    public LayerMatch Match { get; }

    /// <summary>The sparsity of each of these weights; the other weights share the rest of the whole model's target.</summary>
    /// <value>The fraction removed, in [0, 1); null lets the allocation decide.</value>
    public double? Sparsity { get; init => field = value is { } sparsity ? Guard.Fraction(sparsity) : null; }

    /// <summary>The strategy for these weights.</summary>
    public IMaskStrategy? Strategy { get; init; }

    /// <summary>The temperature for these weights.</summary>
    public Temperature? Temperature { get; init; }

    /// <summary>The temperature of the gradient for these weights.</summary>
    public Temperature? GradientTemperature { get; init; }

    /// <summary>The smallest sparsity that the allocation may give one of these weights.</summary>
    /// <value>In [0, 1].</value>
    public double? MinimumSparsity { get; init => field = value is { } sparsity ? Guard.Share(sparsity) : null; }

    /// <summary>The largest sparsity that the allocation may give one of these weights.</summary>
    /// <value>In [0, 1]; at least one weight is always kept.</value>
    public double? MaximumSparsity { get; init => field = value is { } sparsity ? Guard.Share(sparsity) : null; }

    /// <summary>Whether another rule has the same settings.</summary>
    internal bool Agrees(LayerRule other) =>
        (Sparsity, MinimumSparsity, MaximumSparsity) == (other.Sparsity, other.MinimumSparsity, other.MaximumSparsity)
        && (Equals(Strategy, other.Strategy)
            || (Strategy?.GetType() == other.Strategy?.GetType() && Strategy?.Describe() == other.Strategy?.Describe()))
        && Equals(Temperature, other.Temperature)
        && Equals(GradientTemperature, other.GradientTemperature);
}
