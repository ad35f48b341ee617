namespace Pdp;

/// <summary>The form of the weights inside a mask scope, or after a commit.</summary>
public enum MaskForm
{
    /// <summary>ŵ = m·w with the soft mask: what training sees.</summary>
    Soft,

    /// <summary>Exact zeros for the removed weights, m·w for the kept ones: what commit leaves by default.</summary>
    Folded,

    /// <summary>Exact zeros for the removed weights, w itself for the kept ones.</summary>
    Raw,
}
