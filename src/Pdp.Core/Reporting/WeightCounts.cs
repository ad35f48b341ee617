namespace Pdp.Reporting;

/// <summary>What a report counts in a weight as it is now.</summary>
/// <param name="Zeros">The weights that are exactly zero.</param>
/// <param name="Subnormals">The weights that are subnormal numbers.</param>
/// <param name="Violations">The groups in which more members are nonzero than are kept.</param>
internal readonly record struct WeightCounts(long Zeros, long Subnormals, long Violations);
