namespace Pdp.Channels.Probing;

/// <summary>How far two rows of outputs are apart.</summary>
/// <param name="Scale">The largest finite magnitude in the first one.</param>
/// <param name="Difference">The largest difference; infinite where only one is, or they are infinite otherwise.</param>
internal readonly record struct RowDifference(double Scale, double Difference)
{
    /// <summary>With one more element.</summary>
    public RowDifference With(double a, double b) =>
        a.Equals(b) ? this with { Scale = double.IsFinite(a) ? Math.Max(Scale, Math.Abs(a)) : Scale }
        : double.IsFinite(a) && double.IsFinite(b) ? new(Math.Max(Scale, Math.Abs(a)), Math.Max(Difference, Math.Abs(a - b)))
        : this with { Difference = double.PositiveInfinity };
}
