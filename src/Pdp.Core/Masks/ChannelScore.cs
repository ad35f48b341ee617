namespace Pdp.Masks;

/// <summary>How the weights of a channel make its score.</summary>
public enum ChannelScore
{
    /// <summary>The mean of w², whose root has the unit of a weight: layers of any width compare, and τ means the same in them.</summary>
    Rms,

    /// <summary>The sum of w².</summary>
    L2,
}
