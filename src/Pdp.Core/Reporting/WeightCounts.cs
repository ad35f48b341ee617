namespace Pdp.Reporting;

/// <summary>The counts of a weight's current values.</summary>
/// <param name="Zeros">The number of weights that are exactly zero.</param>
/// <param name="Subnormals">The number of weights that are subnormal numbers.</param>
/// <param name="Violations">The number of groups with more nonzero members than are kept.</param>
internal readonly record struct WeightCounts(long Zeros, long Subnormals, long Violations);
