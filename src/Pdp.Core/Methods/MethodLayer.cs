using TorchSharp.Modules;

namespace Pdp;

/// <summary>A layer that is pruned under one mask, as a method sees it.</summary>
/// <remarks>A pruner makes one for each of its masks and passes it only to the method, which sets the mask's counts through it.</remarks>
public sealed record MethodLayer
{
    /// <summary>Makes a layer from a mask of your own, to try a method without a pruner.</summary>
    /// <param name="mask">The mask: its name, layout, strategy and counts.</param>
    /// <param name="weight">The parameter, borrowed; null for the channels of several tied weights.</param>
    /// <exception cref="InvalidOperationException">The mask belongs to a pruner, whose method sets its counts.</exception>
    public MethodLayer(PdpMask mask, Parameter? weight)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (mask.IsAttached)
            throw new InvalidOperationException(
                $"The mask of '{mask.Name}' belongs to a pruner: set its counts through the layers passed to IPruningMethod.Attach.");
        Mask = mask;
        Weight = weight;
    }

    /// <summary>The mask: its name, layout, strategy and counts.</summary>
    public PdpMask Mask { get; }

    /// <summary>The parameter, borrowed; null for the channels of several tied weights.</summary>
    public Parameter? Weight { get; }

    /// <summary>
    /// Sets a number of removed members other than the schedule's, until the next <see cref="PdpPruner.BeginEpoch(double)"/>.
    /// </summary>
    /// <param name="members">The number of members removed from each group, in [0, members).</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public void Remove(long members) => Mask.Remove(members);
}
