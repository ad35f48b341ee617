using Pdp.Internal;

namespace Pdp.Sparse;

/// <summary>How a model is packed. Immutable; each value is checked when it is set.</summary>
public sealed record SparseOptions
{
    /// <summary>The weights that are packed whatever the timing says; each entry has to match one that can be packed.</summary>
    /// <value>Empty by default: each layer keeps whichever form is faster on the example.</value>
    public IReadOnlyList<LayerMatch> Include { get; init => field = Guard.NotNull(value); } = [];

    /// <summary>The weights that are not packed, even if they are included.</summary>
    /// <value>Empty by default.</value>
    public IReadOnlyList<LayerMatch> Exclude { get; init => field = Guard.NotNull(value); } = [];

    /// <summary>
    /// Whether batch norms and ReLU, ReLU6 and GELU modules are folded into the layer whose output they get, packed or dense.
    /// </summary>
    /// <remarks>What to fold is found in one call on the example, and folding is undone where the model's output then differs.</remarks>
    /// <value>Default true.</value>
    public bool Fold { get; init; } = true;

    /// <summary>Whether two-dimensional convolutions that stay dense may have the channels of their weights last in memory.</summary>
    /// <remarks>This happens if it is faster and the model's output on the example is the same.</remarks>
    /// <value>Default true.</value>
    public bool ChannelsLast { get; init; } = true;

    /// <summary>About how long the timing may take; a model with long calls is timed a few times in any case.</summary>
    /// <value>In seconds, in (0, ∞); default 10.</value>
    public double MaximumSeconds { get; init => field = Guard.Positive(value); } = 10;

    /// <summary>The choices of an earlier packing, which are applied without running or timing anything.</summary>
    /// <value>
    /// Null, the default, times the layers on the example. A plan leaves nothing to choose: beside one the options above but for the time
    /// have to be at their defaults.
    /// </value>
    public SparsePlan? Plan { get; init; }
}
