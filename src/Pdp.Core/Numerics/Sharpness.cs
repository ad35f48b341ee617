namespace Pdp.Numerics;

/// <summary>A temperature as the scale 1/√τ = min(ratio/t, most) of each threshold t: one form for absolute and relative ones.</summary>
/// <param name="Ratio">t/√τ: 1/√ρ for a relative temperature; the sharpest for an absolute one.</param>
/// <param name="Most">1/√τ of an absolute temperature; no bound for a relative one.</param>
internal readonly record struct Sharpness(double Ratio, double Most)
{
    /// <summary>
    /// t/√τ from which on masks count as hard, so that no gradient comes through them: t²/τ = 10⁴. It is a shade less than 100, so that
    /// ρ = 1e-4 is hard however t is rounded.
    /// </summary>
    public const double Hard = 99.99;

    /// <summary>The largest t/√τ: neighbours of a threshold in float64 are kept or removed entirely there.</summary>
    private const double Sharpest = 1e9;

    /// <summary>Weights in units of √τ reach this far; their masks are 0 or 1 long before.</summary>
    public const double Furthest = 1e9;

    /// <summary>1/√τ of a threshold, bounded by the largest number of the arithmetic type.</summary>
    public double Scale(double threshold, double largest) => Math.Min(Ratio / threshold, Math.Min(Most, largest));

    /// <summary>The sharpness of a temperature, τ or ρ.</summary>
    public static Sharpness Of(double temperature, bool isRelative) =>
        isRelative ? new(Math.Min(1 / Math.Sqrt(temperature), Sharpest), double.MaxValue) : new(Sharpest, 1 / Math.Sqrt(temperature));
}
