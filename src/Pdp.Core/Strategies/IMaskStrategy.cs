using Pdp.Internal;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>Defines how weights are scored, which weights compete, and how a value per competitor spreads back over the weight.</summary>
/// <remarks>
/// <para>
/// Competitors are laid out as <c>[groups, members]</c>: within a group the members with the smallest magnitude are removed.
/// One member may represent several weights that share a score, such as those of a channel. Everything else, the threshold, the soft
/// mask, its gradient and the exact hard mask, builds on this and is the same for every strategy.
/// </para>
/// <para>
/// The score of a member is <c>s = c · Σ w²</c> over the weights that it represents, with <c>c</c> given by <see cref="ScoreSlope"/>,
/// and its magnitude is <c>√s</c>.
/// </para>
/// <para>Implementations are immutable and thread safe. Tensors passed in are borrowed; tensors returned are the caller's.</para>
/// </remarks>
public interface IMaskStrategy
{
    /// <summary>A short name for plans and reports, such as <c>unstructured</c> or <c>2:4</c>.</summary>
    string Name { get; }

    /// <summary>The fraction removed if the strategy itself fixes it, as N:M does; null if an allocation decides.</summary>
    double? FixedSparsity { get; }

    /// <summary>
    /// Why the strategy can't prune a weight of this layout; null if it can. Such a layer stays dense, and the plan says why.
    /// </summary>
    /// <param name="layout">The layout of the weight.</param>
    string? UnsupportedReason(WeightLayout layout);

    /// <summary>Who competes with whom: the number of groups and of members in each.</summary>
    /// <param name="layout">The layout of the weight, one that is supported.</param>
    Grouping GroupingOf(WeightLayout layout);

    /// <summary>The number of members removed from each group on the way to a target.</summary>
    /// <param name="target">The number of members finally removed from each group, in [0, members).</param>
    /// <param name="fraction">The fraction of the target that the schedule asks for now, in [0, 1]; 1 gives the target itself.</param>
    long Removed(long target, double fraction);

    /// <summary>The magnitude of each competitor, <c>√s</c>, in units of weight.</summary>
    /// <param name="weight">The weight, of the layout's shape, float32 or float64.</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <returns>A tensor <c>[groups, members]</c> of the weight's type.</returns>
    Tensor Magnitude(Tensor weight, WeightLayout layout);

    /// <summary>Sums the values of all weights that share a score.</summary>
    /// <param name="values">One value per weight, of the layout's shape.</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <returns>A tensor <c>[groups, members]</c>.</returns>
    Tensor Sum(Tensor values, WeightLayout layout);

    /// <summary>Gives each weight the value of the member that represents it; the adjoint of <see cref="Sum"/>.</summary>
    /// <param name="grouped">One value per member, <c>[groups, members]</c>.</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <returns>A tensor that broadcasts to the layout's shape.</returns>
    Tensor Spread(Tensor grouped, WeightLayout layout);

    /// <summary>
    /// The constant c in <c>s = c · Σ w²</c>, hence <c>∂s/∂w = 2·c·w</c>: 1 for single weights, 1/k for the mean over k weights.
    /// </summary>
    /// <param name="layout">The layout of the weight.</param>
    double ScoreSlope(WeightLayout layout);

    /// <summary>
    /// Describes the strategy and its settings. Saved states hold the description and are restored only if it is the same; rules treat
    /// strategies of one type with the same description as equal.
    /// </summary>
    /// <remarks>
    /// Write numbers in the invariant culture, and leave out settings that were added later and have their default value.
    /// </remarks>
    /// <returns>By default the name and the result of <c>ToString</c>.</returns>
    string Describe() => $"{Name}: {InvariantText.Of(this)}";
}
