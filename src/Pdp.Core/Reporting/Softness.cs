namespace Pdp.Reporting;

/// <summary>How soft the mask of a layer is.</summary>
/// <param name="Threshold">t, the mean over the groups; null where nothing is removed, or by a hard mask.</param>
/// <param name="Temperature">τ, the mean over the groups; null as the threshold.</param>
/// <param name="Sharpness">t²/τ, the mean over the groups; null as the threshold.</param>
/// <param name="Undecided">The share of weights with a mask that is neither nearly 0 nor nearly 1.</param>
/// <param name="Lost">Σ|ŵ| over what the hard mask removes.</param>
/// <param name="Total">Σ|ŵ|.</param>
internal sealed record Softness(double? Threshold, double? Temperature, double? Sharpness, double Undecided, double Lost, double Total);
