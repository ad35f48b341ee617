using static TorchSharp.torch;

namespace Pdp;

/// <summary>A layer as an allocation sees it.</summary>
public sealed record AllocationLayer
{
    /// <summary>The weight's name.</summary>
    public required string Name { get; init; }

    /// <summary>The weight's shape.</summary>
    public required WeightLayout Layout { get; init; }

    /// <summary>
    /// The weight itself, on its device; where several weights share a score, or have another importance than their magnitude, what each
    /// competes with. Borrowed.
    /// </summary>
    public required Tensor Weight { get; init; }

    /// <summary>The smallest number of weights that may be removed.</summary>
    public required long Minimum { get; init; }

    /// <summary>The largest number of weights that may be removed; at least one is kept.</summary>
    public required long Maximum { get; init; }

    /// <summary>
    /// The number of members that are kept (channels, heads, groups of a grouped convolution) must be a multiple of this, or all of them:
    /// other counts are rounded, down and up, so that the total is met to the nearest.
    /// </summary>
    /// <value>At least 1, the default.</value>
    public int RoundTo { get; init; } = 1;
}
