namespace Pdp.Numerics.Kernels;

/// <summary>A temperature in one form, absolute or relative: the scale 1/√τ = min(ratio/t, most) for each threshold t.</summary>
/// <param name="Ratio">t/√τ: 1/√ρ for a relative temperature; the sharpest for an absolute one.</param>
/// <param name="Most">1/√τ of an absolute temperature; no bound for a relative one.</param>
internal readonly record struct Sharpness(double Ratio, double Most)
{
    /// <summary>
    /// The t/√τ from which masks count as hard, so that no gradient passes through them: t²/τ = 10⁴. It is slightly less than 100, so that
    /// ρ = 1e-4 counts as hard however t is rounded.
    /// </summary>
    public const double Hard = 99.99;

    /// <summary>The largest t/√τ. There, even the float64 numbers next to the threshold are kept or removed entirely.</summary>
    private const double Sharpest = 1e9;

    /// <summary>The bound of weights in units of √τ; their masks are 0 or 1 long before they reach it.</summary>
    public const double Furthest = 1e9;

    /// <summary>
    /// Masks below this become exact zeros. Otherwise weights would become subnormal numbers, which slow CPU convolutions many times.
    /// </summary>
    public const double SmallestMask = 1e-12;

    /// <summary>1/√τ of a threshold, bounded by the largest number of the arithmetic type.</summary>
    public double Scale(double threshold, double largest) => Math.Min(Ratio / threshold, Math.Min(Most, largest));

    /// <summary>The sharpness of a temperature, τ or ρ.</summary>
    public static Sharpness Of(double temperature, bool isRelative) =>
        isRelative ? new(Math.Min(1 / Math.Sqrt(temperature), Sharpest), double.MaxValue) : new(Sharpest, 1 / Math.Sqrt(temperature));
}
