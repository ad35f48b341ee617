namespace Pdp;

/// <summary>How the weights that share a mask, those of a channel or of a block, make its score.</summary>
public enum ScoreNorm
{
    /// <summary>The mean of w², whose root has the unit of a weight: layers of any width compare, and τ means the same in them.</summary>
    Rms,

    /// <summary>The sum of w².</summary>
    L2,
}
