using Pdp.Internal;

namespace Pdp;

/// <summary>How soft the masks are: an absolute τ, or one relative to each threshold, τ = ρ·t²; constant or annealed over epochs.</summary>
/// <remarks>
/// <para>
/// The mask of a zero weight is σ(−t²/τ), and the gradient of a weight on the threshold is multiplied by ½ + t²/(2τ). Masks with t²/τ ≥
/// 10⁴, that is ρ ≤ 1e-4, count as hard: the gradient through the mask is dropped, and ∂L/∂w is m·g. It would only amplify weights that
/// happen to lie exactly on the threshold, such as channels of equal norm.
/// </para>
/// <para>
/// An absolute τ makes layers with small weights softer than those with large ones. A relative one makes all layers equally
/// soft and follows the weights when they are scaled, over all exponents of their type. Annealing is exponential: at the fraction x of the
/// window the value is from·(to/from)ˣ. <see cref="HardFrom"/> ends it in hard masks.
/// </para>
/// </remarks>
public sealed record Temperature
{
    /// <summary>The ρ of masks that are 0 or 1, even for the numbers next to the threshold.</summary>
    private const double HardRatio = 1e-18;

    /// <summary>The τ of masks that are hard at every threshold.</summary>
    private const double Hardest = double.Epsilon;

    private Temperature(bool isRelative, double value)
    {
        IsRelative = isRelative;
        From = value;
        To = value;
    }

    /// <summary>Whether the value is ρ, relative to the squared threshold, rather than τ.</summary>
    public bool IsRelative { get; }

    /// <summary>The value up to <see cref="StartEpoch"/>.</summary>
    /// <value>ρ, or τ in weight²; in (0, ∞).</value>
    public double From { get; }

    /// <summary>The value from <see cref="EndEpoch"/> on.</summary>
    /// <value>ρ, or τ in weight²; in (0, ∞).</value>
    public double To { get; private init; }

    /// <summary>The epoch at which annealing begins.</summary>
    public double StartEpoch { get; private init; }

    /// <summary>The epoch at which annealing ends.</summary>
    public double EndEpoch { get; private init; }

    /// <summary>The epoch from which the masks are hard, whatever came before.</summary>
    /// <value>In [0, ∞). Null, the default, if there is none.</value>
    public double? HardEpoch { get; private init; }

    /// <summary>Whether the gradient is corrected along the weights, as <see cref="WithRadialCorrection"/> describes.</summary>
    /// <value>Default false: equation 4 of the paper, in which the threshold is a constant.</value>
    public bool HasRadialCorrection { get; private init; }

    private double Hard => IsRelative ? HardRatio : Hardest;

    /// <summary>The same τ for all layers, as in the paper (1e-4).</summary>
    /// <param name="temperature">τ in weight², in (0, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException">τ is not in (0, ∞).</exception>
    public static Temperature Absolute(double temperature) => new(false, Guard.Positive(temperature, nameof(temperature)));

    /// <summary>τ = ρ·t² for each threshold t.</summary>
    /// <param name="ratio">ρ, in (0, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException">ρ is not in (0, ∞).</exception>
    public static Temperature Relative(double ratio) => new(true, Guard.Positive(ratio, nameof(ratio)));

    /// <summary>The same temperature, annealed exponentially over a window of epochs.</summary>
    /// <param name="to">The last value, τ or ρ as this one, in (0, ∞).</param>
    /// <param name="start">The epoch at which annealing begins, in [0, ∞).</param>
    /// <param name="end">The epoch at which annealing ends, in (start, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public Temperature AnnealedTo(double to, double start, double end) => this with
    {
        To = Guard.Positive(to, nameof(to)),
        StartEpoch = Guard.NotNegative(start, nameof(start)),
        EndEpoch = Guard.After(start, end, nameof(end)),
    };

    /// <summary>The same temperature, and masks of 0 and 1 from an epoch on: ρ = 1e-18, or the smallest τ where absolute.</summary>
    /// <remarks>
    /// As the temperature of gradients it ends the second chance of removed weights at once: ∂L/∂w is m·g from the epoch on. Annealing to a
    /// hard mask passes through temperatures so sharp that their gradients throw weights far over the threshold.
    /// </remarks>
    /// <param name="epoch">The epoch, in [0, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is not in [0, ∞).</exception>
    public Temperature HardFrom(double epoch) => this with { HardEpoch = Guard.NotNegative(epoch, nameof(epoch)) };

    /// <summary>The same temperature, with gradients whose derivative along the weights is that of the masked weights.</summary>
    /// <remarks>
    /// <para>
    /// With g = ∂L/∂ŵ the gradient of the masked weights ŵ = m·w, and τ = ρ·t² for a threshold t: no mask changes when all weights of a
    /// layer are scaled, ŵ(c·w) = c·ŵ(w), so that the derivative along w is ⟨g, ŵ⟩. Equation 4 has another one, as it holds t constant; so
    /// has the gradient of a mask with a temperature of its own. The difference is taken from it:
    /// ∂L/∂w − w·(⟨∂L/∂w, w⟩ − ⟨g, ŵ⟩)/⟨w, w⟩, with sums over all weights that a mask covers, and over all groups of N:M together. With
    /// one temperature for masks and gradients, this is the gradient through a threshold that is proportional to ‖w‖.
    /// </para>
    /// <para>
    /// It applies in soft scopes (<see cref="MaskForm.Soft"/>), to gradients of this temperature, unless their masks are hard or a
    /// gradient is not finite.
    /// </para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">The temperature is absolute.</exception>
    public Temperature WithRadialCorrection() => IsRelative
        ? this with { HasRadialCorrection = true }
        : throw new InvalidOperationException(
            "Under an absolute temperature, masks change with the length of the weights: use Temperature.Relative.");

    /// <summary>Another temperature for the gradient of masks with this one; null if it is the same.</summary>
    /// <exception cref="ArgumentException">A radial correction of the one doesn't fit the other.</exception>
    internal Temperature? Fitting(Temperature? gradient, string parameter) => gradient switch
    {
        { HasRadialCorrection: true } when !IsRelative => throw new ArgumentException(
            "Under an absolute temperature, masks change with the length of the weights, so that gradients can't be corrected along them: "
            + "use Temperature.Relative for the masks, too.", parameter),
        { HasRadialCorrection: false } when HasRadialCorrection => throw new ArgumentException(
            "The temperature of the masks has a radial correction, but gradients have a temperature of their own without one: give that "
            + "one the correction.", parameter),
        _ => gradient,
    };

    /// <summary>τ, or ρ where relative, at an epoch.</summary>
    /// <param name="epoch">The epoch, whole or fractional.</param>
    public double At(double epoch) => epoch >= HardEpoch ? Hard : Annealed(epoch);

    private double Annealed(double epoch) =>
        epoch >= EndEpoch ? To : epoch <= StartEpoch ? From : From * Math.Pow(To / From, (epoch - StartEpoch) / (EndEpoch - StartEpoch));
}
