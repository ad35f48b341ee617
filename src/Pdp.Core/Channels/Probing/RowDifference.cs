namespace Pdp.Channels.Probing;

/// <summary>The difference of two rows of outputs.</summary>
/// <param name="Scale">The largest finite magnitude in the first row.</param>
/// <param name="Difference">The largest difference; infinite if nonfinite elements differ.</param>
internal readonly record struct RowDifference(double Scale, double Difference)
{
    /// <summary>Adds a pair of elements.</summary>
    public RowDifference With(double a, double b) =>
        a.Equals(b) ? this with { Scale = double.IsFinite(a) ? Math.Max(Scale, Math.Abs(a)) : Scale }
        : double.IsFinite(a) && double.IsFinite(b) ? new(Math.Max(Scale, Math.Abs(a)), Math.Max(Difference, Math.Abs(a - b)))
        : this with { Difference = double.PositiveInfinity };
}
