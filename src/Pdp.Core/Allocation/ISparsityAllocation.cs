using Pdp.Internal;

namespace Pdp;

/// <summary>Divides the weights to be removed from a model among its layers, in exact counts.</summary>
/// <remarks>Implementations are immutable; the result does not depend on anything but the arguments.</remarks>
public interface ISparsityAllocation
{
    /// <summary>
    /// The fraction removed from the whole model if the allocation itself fixes it, as a table does; null if the options decide.
    /// </summary>
    /// <param name="layers">The layers to divide the removal among.</param>
    double? FixedSparsity(IReadOnlyList<AllocationLayer> layers);

    /// <summary>The number of weights to be removed from each layer.</summary>
    /// <param name="layers">The layers, in the order of the model's parameters.</param>
    /// <param name="remove">The total number of weights to be removed, between the sums of the layers' minima and maxima.</param>
    /// <returns>One count per layer, within its bounds; they add up to exactly <paramref name="remove"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bounds do not allow that total.</exception>
    IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove);

    /// <summary>
    /// Describes the allocation and its settings. Saved states hold the description and are restored only if it is the same.
    /// </summary>
    /// <remarks>
    /// Write numbers in the invariant culture, and leave out settings that were added later and have their default value.
    /// </remarks>
    /// <returns>By default the result of <c>ToString</c>.</returns>
    string Describe() => InvariantText.Of(this);
}
