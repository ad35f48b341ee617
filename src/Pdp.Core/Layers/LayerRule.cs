using Pdp.Internal;

namespace Pdp;

/// <summary>Overrides for the weights that a match chooses; what is left null is as in the options.</summary>
/// <remarks>
/// Of several rules that match a weight the first one counts. Where weights share a mask, because they are tied or their channels belong together, a rule
/// for one of them is for all, and of several rules for them the first one in the list counts. A rule that never counts is an error.
/// </remarks>
public sealed record LayerRule
{
    /// <summary>Makes a rule.</summary>
    /// <param name="match">The weights that it is for; a string is a name pattern.</param>
    public LayerRule(LayerMatch match) => Match = Guard.NotNull(match, nameof(match));

    /// <summary>The weights that it is for.</summary>
    public LayerMatch Match { get; }

    /// <summary>The sparsity of each of these weights; the others share what is left of the whole model's target.</summary>
    /// <value>The fraction removed, in [0, 1); null lets the allocation decide.</value>
    public double? Sparsity { get; init => field = value is { } sparsity ? Guard.Fraction(sparsity) : null; }

    /// <summary>The strategy for these weights.</summary>
    public IMaskStrategy? Strategy { get; init; }

    /// <summary>The temperature for these weights.</summary>
    public Temperature? Temperature { get; init; }

    /// <summary>The least sparsity that the allocation may give one of these weights.</summary>
    /// <value>In [0, 1].</value>
    public double? MinimumSparsity { get; init => field = value is { } sparsity ? Guard.Share(sparsity) : null; }

    /// <summary>The largest sparsity that the allocation may give one of these weights.</summary>
    /// <value>In [0, 1]; at least one weight is always kept.</value>
    public double? MaximumSparsity { get; init => field = value is { } sparsity ? Guard.Share(sparsity) : null; }

    /// <summary>Whether another rule asks for the same.</summary>
    internal bool Agrees(LayerRule other) =>
        (Sparsity, MinimumSparsity, MaximumSparsity) == (other.Sparsity, other.MinimumSparsity, other.MaximumSparsity)
        && (Equals(Strategy, other.Strategy) || (Strategy?.GetType() == other.Strategy?.GetType() && Strategy?.Describe() == other.Strategy?.Describe()))
        && Equals(Temperature, other.Temperature);
}
