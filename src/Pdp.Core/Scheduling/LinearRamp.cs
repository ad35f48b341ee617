namespace Pdp;

/// <summary>A ramp that rises evenly over its window: <c>x</c>.</summary>
public sealed record LinearRamp : WindowRamp
{
    /// <summary>Sets the window.</summary>
    /// <param name="start">The epoch at which pruning begins, in [0, ∞).</param>
    /// <param name="end">The epoch at which the target is reached, in (start, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The start is negative, the end is not after it, or one of them is not finite.
    /// </exception>
    public LinearRamp(double start, double end)
        : base(start, end)
    {
    }

    private protected override double Shape(double x) => x;
}
