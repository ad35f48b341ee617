using Pdp.Strategies;
using static TorchSharp.torch;

namespace Pdp.Allocation;

/// <summary>A layer as an allocation sees it.</summary>
/// <param name="Name">The weight's name.</param>
/// <param name="Layout">The weight's shape.</param>
/// <param name="Weight">The weight itself, on its device; where several weights share a score, the magnitude of the whole for each. Borrowed.</param>
/// <param name="Minimum">The fewest weights that may be removed.</param>
/// <param name="Maximum">The most weights that may be removed; at least one is kept.</param>
public sealed record AllocationLayer(string Name, WeightLayout Layout, Tensor Weight, long Minimum, long Maximum)
{
    /// <summary>The channels that are kept must be a multiple of this, or all: where an allocation asks for others, fewer are removed.</summary>
    /// <value>At least 1, the default.</value>
    public int Alignment { get; init; } = 1;
}
