namespace Pdp.Reporting;

/// <summary>The softness of a layer's mask.</summary>
/// <param name="Threshold">t, the mean over the groups; null if nothing is removed or the mask is hard.</param>
/// <param name="SquaredThreshold">t², the mean over the groups; null if the threshold is.</param>
/// <param name="Sharpness">t²/τ, the mean over the groups; null if the threshold is.</param>
/// <param name="Undecided">The fraction of weights with a mask that is neither nearly 0 nor nearly 1.</param>
/// <param name="Lost">Σ|ŵ| over what the hard mask removes.</param>
/// <param name="Total">Σ|ŵ|.</param>
internal sealed record Softness(
    double? Threshold, double? SquaredThreshold, double? Sharpness, double Undecided, double Lost, double Total);
