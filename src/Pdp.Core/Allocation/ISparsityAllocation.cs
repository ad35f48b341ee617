using Pdp.Internal;

namespace Pdp;

/// <summary>Divides the weights to be removed from a model among its layers, in exact counts.</summary>
/// <remarks>Implementations are immutable; the result does not depend on anything but the arguments.</remarks>
public interface ISparsityAllocation
{
    /// <summary>The fraction removed from the whole model where the allocation itself fixes it, as a table does; null where the options decide.</summary>
    /// <param name="layers">The layers to divide the removal among.</param>
    double? FixedSparsity(IReadOnlyList<AllocationLayer> layers);

    /// <summary>The weights to be removed from each layer.</summary>
    /// <param name="layers">The layers, in the order of the model's parameters.</param>
    /// <param name="remove">The weights to be removed in all, between the sums of the layers' minima and maxima.</param>
    /// <returns>One count a layer, within its bounds; their sum is exactly <paramref name="remove"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bounds do not allow that total.</exception>
    IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove);

    /// <summary>What it is and what it is set to, in words. Saved states hold them, and are restored only where they are the same.</summary>
    /// <remarks>Write numbers in the invariant culture, and leave out what is at a default that was added later.</remarks>
    /// <returns>By default what <c>ToString</c> gives.</returns>
    string Describe() => Words.Of(this);
}
