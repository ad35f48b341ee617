namespace Pdp;

/// <summary>A ramp that is gentle at both ends of its window: <c>(1 − cos πx) / 2</c>.</summary>
public sealed record CosineRamp : WindowRamp
{
    /// <summary>Sets the window.</summary>
    /// <param name="start">The epoch at which pruning begins, in [0, ∞).</param>
    /// <param name="end">The epoch at which the target is reached, in (start, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The start is negative, the end is not after it, or one of them is not finite.
    /// </exception>
    public CosineRamp(double start, double end)
        : base(start, end)
    {
    }

    private protected override double Shape(double x) => (1 - Math.Cos(Math.PI * x)) / 2;
}
