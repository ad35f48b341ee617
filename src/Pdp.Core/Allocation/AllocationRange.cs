using Pdp.Internal;

namespace Pdp.Allocation;

/// <summary>The total that the bounds of layers allow.</summary>
internal static class AllocationRange
{
    /// <summary>Checks that a total lies between the sums of the layers' minima and maxima.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It doesn't.</exception>
    public static void Require(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        ArgumentNullException.ThrowIfNull(layers);

        var (least, most) = (layers.Sum(layer => layer.Minimum), layers.Sum(layer => layer.Maximum));
        if (remove < least || remove > most)
            throw Guard.Outside(nameof(remove), remove, $"[{least}, {most}]");
    }
}
