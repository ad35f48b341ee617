using System.Globalization;
using Pdp.Internal;
using Pdp.Strategies;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>Keeps N weights of every M consecutive input channels, at one output channel and kernel position.</summary>
/// <remarks>
/// The groups lie along dimension 1 of a linear <c>[out, in]</c> and a convolution <c>[out, in/groups, k…]</c>, and along dimension 0 of a
/// transposed convolution <c>[in, out/groups, k…]</c>. The sparsity is (M − N) / M by construction. While the schedule ramps, the
/// number of weights kept in each group falls in whole steps: M, M − 1, …, N.
/// </remarks>
public sealed record NofM : IMaskStrategy
{
    private NofM(int kept, int of)
    {
        Kept = kept;
        Of = of;
    }

    /// <summary>N, the number of weights kept in each group.</summary>
    /// <value>In [1, M).</value>
    public int Kept { get; }

    /// <summary>M, the number of weights in each group.</summary>
    /// <value>At least 2.</value>
    public int Of { get; }

    /// <summary>
    /// Whether the number of weights kept steps down from M to N with the schedule, rather than being N from the first pruned epoch on.
    /// </summary>
    /// <value>Default true.</value>
    public bool Gradual { get; init; } = true;

    /// <inheritdoc/>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Kept}:{Of}");

    /// <inheritdoc/>
    public double? FixedSparsity => (double)(Of - Kept) / Of;

    /// <summary>The pattern that keeps N of every M weights.</summary>
    /// <param name="kept">N, the number of weights kept in each group, in [1, M).</param>
    /// <param name="of">M, the number of weights in each group, at least 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">M is below 2, or N is not in [1, M).</exception>
    public static NofM Keep(int kept, int of)
    {
        if (of < 2)
        {
            throw Guard.Outside(nameof(of), of, string.Create(CultureInfo.InvariantCulture,
                $"[2, ∞): {kept}:{of} has groups of {of}, and M is at least 2"));
        }

        return kept >= 1 && kept < of
            ? new NofM(kept, of)
            : throw Guard.Outside(nameof(kept), kept, string.Create(CultureInfo.InvariantCulture,
                $"[1, {of}): {kept}:{of} keeps {kept} of {of} weights, and N is at least 1 and below M"));
    }

    /// <summary>Reads a pattern as <see cref="Name"/> writes it.</summary>
    /// <param name="text">N kept of M, such as <c>2:4</c>.</param>
    /// <exception cref="FormatException">The text is not two whole numbers with a colon between them.</exception>
    /// <exception cref="ArgumentOutOfRangeException">M is below 2, or N is not in [1, M).</exception>
    public static NofM Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split(':') is [var kept, var of] && Guard.IsWhole(kept, out var n) && Guard.IsWhole(of, out var m)
            ? Keep(n, of: m)
            : throw new FormatException($"'{text}' is not an N:M pattern: write N weights kept of M, such as 2:4.");
    }

    /// <inheritdoc/>
    public string? UnsupportedReason(WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return layout.Inputs % Of == 0
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{layout.Inputs} inputs are not divisible by {Of}");
    }

    /// <inheritdoc/>
    public Grouping GroupingOf(WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return new(layout.Elements / Of, Of);
    }

    /// <inheritdoc/>
    public long Removed(long target, double fraction) =>
        Gradual ? Counts.Floor(target, fraction) : fraction > 0 ? target : 0;

    /// <inheritdoc/>
    public Tensor Magnitude(Tensor weight, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(weight);

        using var absolute = weight.abs();
        return Sum(absolute, layout);
    }

    /// <inheritdoc/>
    public Tensor Sum(Tensor values, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(layout);

        using var inputsLast = values.movedim([layout.InputDimension], [-1]);
        return inputsLast.reshape(-1, Of);
    }

    /// <inheritdoc/>
    public Tensor Spread(Tensor grouped, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(grouped);
        ArgumentNullException.ThrowIfNull(layout);

        var sizes = layout.Dimensions.ToList();
        sizes.RemoveAt(layout.InputDimension);
        sizes.Add(layout.Shape[layout.InputDimension]);
        using var inputsLast = grouped.reshape([.. sizes]);
        return inputsLast.movedim([-1], [layout.InputDimension]);
    }

    /// <inheritdoc/>
    public double ScoreSlope(WeightLayout layout) => 1;

    /// <inheritdoc/>
    public string Describe() => Gradual ? Name : $"{Name} at once";
}
