namespace Pdp;

/// <summary>A ramp that is fast at first and gentle near the target: <c>1 − (1 − x)³</c> (Zhu, Gupta, 2017).</summary>
public sealed record CubicRamp : WindowRamp
{
    /// <summary>Sets the window.</summary>
    /// <param name="start">The epoch at which pruning begins, in [0, ∞).</param>
    /// <param name="end">The epoch at which the target is reached, in (start, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The start is negative, the end is not after it, or one of them is not finite.
    /// </exception>
    public CubicRamp(double start, double end)
        : base(start, end)
    {
    }

    private protected override double Shape(double x) => 1 - Math.Pow(1 - x, 3);
}
