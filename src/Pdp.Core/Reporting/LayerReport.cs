namespace Pdp;

/// <summary>The state of a pruned weight.</summary>
public sealed record LayerReport
{
    /// <summary>The parameter's name.</summary>
    public required string Name { get; init; }

    /// <summary>The strategy's name.</summary>
    public required string Strategy { get; init; }

    /// <summary>The number of its weights.</summary>
    public required long Elements { get; init; }

    /// <summary>The number of weights that the hard mask currently removes.</summary>
    public required long Removed { get; init; }

    /// <summary>The number of weights that are exactly zero in the model: before commit, in the dense weight.</summary>
    public required long Zeros { get; init; }

    /// <summary>t, the mean over the groups; null if nothing is removed or the mask is hard.</summary>
    /// <value>In units of weight w; under an <see cref="IImportance"/> in units of a·w.</value>
    public required double? Threshold { get; init; }

    /// <summary>τ, the mean over the groups, in the threshold's unit squared; null if the threshold is.</summary>
    public required double? Temperature { get; init; }

    /// <summary>
    /// τ of the gradient, the mean over the groups, in the same unit; null if it is that of the mask, or the threshold is null.
    /// </summary>
    public double? GradientTemperature { get; init; }

    /// <summary>t²/τ, the mean over the groups; null if the threshold is.</summary>
    /// <value>Below about 4 the masks of zero weights are visibly open; in the hundreds the boundary is hard.</value>
    public required double? Sharpness { get; init; }

    /// <summary>The fraction of weights with a soft mask in (0.05, 0.95).</summary>
    public required double Undecided { get; init; }

    /// <summary>The fraction of Σ|ŵ| that the hard mask removes: what the network still relies on and commit takes away.</summary>
    public required double Leak { get; init; }

    /// <summary>The number of weights that are subnormal numbers, which slow down arithmetic on CPUs; 0 after commit.</summary>
    public required long Subnormals { get; init; }

    /// <summary>The number of groups that keep more members than the pattern allows; 0 after commit.</summary>
    public required long Violations { get; init; }

    /// <summary>
    /// The bytes of the weight in a file of Pdp.Sparse, without its entries in the header, when what the hard mask removes is zero: after
    /// commit, as it is now.
    /// </summary>
    /// <value>Null for channels that are masked together, and in reports of earlier versions. A −0 takes a value more.</value>
    public long? FileBytes { get; init; }

    /// <summary>The fraction removed, in [0, 1).</summary>
    public double Sparsity => (double)Removed / Elements;

    /// <summary>The error in a report that was read; null if there is none.</summary>
    internal string? Fault =>
        Elements < 1 ? $"elements are {Elements} and must be in [1, ∞)"
        : new[] { Removed, Zeros, Subnormals, Violations }.Any(count => count < 0 || count > Elements)
            ? $"counts must be in [0, {Elements}]"
        : null;
}
