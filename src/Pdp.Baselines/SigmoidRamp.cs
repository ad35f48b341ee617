using System.Globalization;
using Pdp.Baselines.Internal;

namespace Pdp.Baselines;

/// <summary>
/// A ramp that rises mostly in the middle of its window: <c>σ(β·(e − c))</c> around the center c, scaled to begin at exactly 0 and end at
/// exactly 1.
/// </summary>
/// <remarks>
/// The schedule of <see cref="OptG"/> (Zhang et al., 2022), whose β is 1 in runs of 100 epochs. At the default width the difference from 1
/// is below a double's precision from nine tenths of the window on, and commit is allowed from there.
/// </remarks>
public sealed record SigmoidRamp : ISparsityScheduler
{
    /// <summary>Sets the window.</summary>
    /// <param name="start">The epoch at which pruning begins, in [0, ∞).</param>
    /// <param name="end">The epoch at which the target is reached, in (start, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The start is negative, the end is not after it, or one of them is not finite.
    /// </exception>
    public SigmoidRamp(double start, double end)
    {
        StartEpoch = Ask.NotNegative(start, nameof(start));
        EndEpoch = Ask.Within(end, end > start && double.IsFinite(end), string.Create(CultureInfo.InvariantCulture, $"({start}, ∞)"),
            nameof(end));
    }

    /// <summary>
    /// The fraction of the window in which the ramp rises from σ(−5) = 0.7 % to σ(5) = 99.3 %: β = 10/(width·(end − start)) per epoch.
    /// </summary>
    /// <value>In [1e-6, 1]; default 0.1, which is β = 1 in 100 epochs.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of range.</exception>
    public double Width { get; init => field = Ask.Within(value, value is >= 1e-6 and <= 1, "[1e-6, 1]"); } = 0.1;

    /// <inheritdoc/>
    public double StartEpoch { get; }

    /// <inheritdoc/>
    public double EndEpoch { get; }

    /// <inheritdoc/>
    public double Fraction(double epoch) =>
        epoch <= StartEpoch ? 0 : epoch >= EndEpoch ? 1 : Shape((epoch - StartEpoch) / (EndEpoch - StartEpoch));

    /// <inheritdoc/>
    public string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"{nameof(SigmoidRamp)} from epoch {StartEpoch:R} to {EndEpoch:R} of width {Width:R}");

    /// <summary>The ramp over the window scaled to [0, 1], by 2·σ(2z) − 1 = tanh z.</summary>
    private double Shape(double x)
    {
        var steepness = 5 / Width;
        return Math.Clamp((1 + (Math.Tanh(steepness * (x - 0.5)) / Math.Tanh(steepness / 2))) / 2, 0, 1);
    }
}
