using TorchSharp.Modules;

namespace Pdp;

/// <summary>What is pruned under one mask, as a method sees it.</summary>
/// <remarks>A pruner makes one for each of its masks and gives it to the method alone, which sets the mask's counts by it.</remarks>
public sealed record MethodLayer
{
    /// <summary>Makes a layer of a mask of one's own, to try a method without a pruner.</summary>
    /// <param name="mask">The mask: its name, layout, strategy and counts.</param>
    /// <param name="weight">The parameter, borrowed; null for channels of several weights that are tied.</param>
    /// <exception cref="InvalidOperationException">The mask is a pruner's, whose counts are set by the method in force.</exception>
    public MethodLayer(PdpMask mask, Parameter? weight)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (mask.IsAttached)
            throw new InvalidOperationException($"The mask of '{mask.Name}' is a pruner's: its counts are set by the layers that IPruningMethod.Attach is given.");
        Mask = mask;
        Weight = weight;
    }

    /// <summary>The mask: its name, layout, strategy and counts.</summary>
    public PdpMask Mask { get; }

    /// <summary>The parameter, borrowed; null for channels of several weights that are tied.</summary>
    public Parameter? Weight { get; }

    /// <summary>Removes another number of members than the schedule says, until the next <see cref="PdpPruner.BeginEpoch(double)"/>.</summary>
    /// <param name="members">The members removed in each group, in [0, members).</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is outside.</exception>
    public void Remove(long members) => Mask.Remove(members);
}
