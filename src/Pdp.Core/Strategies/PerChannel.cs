using System.Globalization;
using Pdp.Internal;
using Pdp.Strategies;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>Whole output channels compete: all weights of a filter share one score and one mask.</summary>
/// <remarks>
/// The channels lie along dimension 0 of a linear <c>[out, in]</c> and a convolution <c>[out, in/groups, k…]</c>, and along dimension 1 of
/// a transposed convolution <c>[in, out/groups, k…]</c>. With a channel map in the options, channels that belong together are pruned
/// together, with their biases and norms, and the model can be shrunk; without one, each weight is masked separately.
/// </remarks>
public sealed record PerChannel : IMaskStrategy
{
    /// <summary>How the score of a channel is computed from its weights.</summary>
    /// <value>Default <see cref="ScoreNorm.Rms"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not defined.</exception>
    public ScoreNorm Score
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw Guard.Outside(nameof(Score), value, "{Rms, L2}");
    }

    /// <summary>
    /// The number of channels kept in each group is a multiple of this, which suits kernels and accelerators, or all of them.
    /// </summary>
    /// <remarks>
    /// A head of attention counts with all its channels, and so does a group of a grouped convolution: any number of heads of 64 channels
    /// is a multiple of 16. Where some groups lose fewer channels for that, others lose more, so that the total is met to half the largest
    /// step. A group may end below its minimum sparsity by that; under a <see cref="MacBudget"/> only one that has no multiple within
    /// its bounds. Plan and report warn of what bounds, or too few groups, leave. A sparsity that a rule sets is rounded down.
    /// </remarks>
    /// <value>At least 1, the default, which keeps any number.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int RoundTo { get; init => field = value >= 1 ? value : throw Guard.Outside(nameof(RoundTo), value, "[1, ∞)"); } = 1;

    /// <inheritdoc/>
    public string Name => Score == ScoreNorm.Rms ? "channel" : "channel-l2";

    /// <inheritdoc/>
    public double? FixedSparsity => null;

    /// <inheritdoc/>
    public string? UnsupportedReason(WeightLayout layout) => null;

    /// <inheritdoc/>
    public Grouping GroupingOf(WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return new(1, ChannelsOf(layout));
    }

    /// <inheritdoc/>
    public long Removed(long target, double fraction) => Counts.Floor(target, fraction);

    /// <inheritdoc/>
    public Tensor Magnitude(Tensor weight, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(layout);

        using var scope = NewDisposeScope();
        return RowMagnitude.Of(RowsOf(weight, layout), ScoreSlope(layout)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Sum(Tensor values, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(layout);

        using var scope = NewDisposeScope();
        return RowsOf(values, layout).sum(1).reshape(1, -1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Spread(Tensor grouped, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(grouped);
        ArgumentNullException.ThrowIfNull(layout);
        return grouped.reshape([.. layout.Shape.Select((size, dimension) => dimension == layout.OutputDimension ? size : 1)]);
    }

    /// <inheritdoc/>
    public double ScoreSlope(WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return Score == ScoreNorm.Rms ? ChannelsOf(layout) / (double)layout.Elements : 1;
    }

    /// <inheritdoc/>
    public string Describe() => RoundTo == 1 ? Name : string.Create(CultureInfo.InvariantCulture, $"{Name}, a multiple of {RoundTo} kept");

    /// <summary><c>[channels, weights of a channel]</c>; in the caller's scope.</summary>
    private static Tensor RowsOf(Tensor values, WeightLayout layout) =>
        values.movedim([layout.OutputDimension], [0]).reshape(ChannelsOf(layout), -1);

    private static long ChannelsOf(WeightLayout layout) => layout.Shape[layout.OutputDimension];
}
