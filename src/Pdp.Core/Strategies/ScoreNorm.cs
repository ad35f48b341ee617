namespace Pdp;

/// <summary>How the score of a channel or block is computed from its weights.</summary>
public enum ScoreNorm
{
    /// <summary>
    /// The mean of w², whose root has the unit of a weight, so that layers of different widths are comparable and τ means the same in all.
    /// </summary>
    Rms,

    /// <summary>The sum of w².</summary>
    L2,
}
