namespace Pdp.Training;

/// <summary>A warm-up, then half a cosine: d(x) = ½·(1 + cos πx).</summary>
/// <remarks>
/// The annealing of Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), equation 5, without restarts. See
/// <see cref="LearningRateSchedule"/> for the warm-up and the final factor.
/// </remarks>
public sealed record CosineSchedule : LearningRateSchedule
{
    /// <summary>Makes a schedule without a warm-up that ends at 0, unless set otherwise.</summary>
    /// <param name="steps">The steps of the whole run, in (0, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="steps"/> is outside its range.</exception>
    public CosineSchedule(double steps)
        : base(steps)
    {
    }

    private protected override double Decay(double x) => 0.5 * (1 + Math.Cos(Math.PI * x));
}
