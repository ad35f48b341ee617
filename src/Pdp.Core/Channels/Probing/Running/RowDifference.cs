namespace Pdp.Channels.Probing.Running;

/// <summary>The difference of two rows of outputs.</summary>
/// <param name="Scale">The largest finite magnitude in the first row.</param>
/// <param name="Difference">The largest difference; infinite if nonfinite elements differ.</param>
internal readonly record struct RowDifference(double Scale, double Difference);
