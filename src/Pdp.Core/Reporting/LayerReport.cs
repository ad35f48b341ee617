namespace Pdp.Reporting;

/// <summary>What has become of a pruned weight.</summary>
/// <param name="Name">The parameter's name.</param>
/// <param name="Strategy">The strategy's name.</param>
/// <param name="Elements">Its weights.</param>
/// <param name="Removed">The weights that the hard mask removes now.</param>
/// <param name="Zeros">The weights that are exactly zero in the model now: before commit those of the dense weight.</param>
/// <param name="Threshold">t, the mean over the groups, in units of weight; null where nothing is removed, or by a hard mask.</param>
/// <param name="Temperature">τ, the mean over the groups, in weight²; null as the threshold.</param>
/// <param name="Sharpness">t²/τ, the mean over the groups: below about 4 the masks of zero weights are visibly open, in the hundreds the boundary is hard; null as the threshold.</param>
/// <param name="Undecided">The share of weights with a soft mask in (0.05, 0.95).</param>
/// <param name="Leak">The share of Σ|ŵ| that the hard mask removes: what the network leans on and commit takes away.</param>
/// <param name="Subnormals">The weights that are subnormal numbers, which slow down arithmetic on CPUs; 0 after commit.</param>
/// <param name="Violations">The groups with more members left than the pattern allows; 0 after commit.</param>
public sealed record LayerReport(
    string Name,
    string Strategy,
    long Elements,
    long Removed,
    long Zeros,
    double? Threshold,
    double? Temperature,
    double? Sharpness,
    double Undecided,
    double Leak,
    long Subnormals,
    long Violations)
{
    /// <summary>The fraction removed, in [0, 1).</summary>
    public double Sparsity => (double)Removed / Elements;
}
