namespace Pdp.Samples.Comparison;

/// <summary>The failure.json of a run that ended without a report.</summary>
/// <param name="Error">What it said, in one line.</param>
/// <param name="Settings">The settings of the run, as in reports.</param>
/// <param name="WeightsHash">The hash of the weights that it started from, as in reports.</param>
internal sealed record RunFailure(string Error, string Settings, string? WeightsHash);
