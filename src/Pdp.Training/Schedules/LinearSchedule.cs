namespace Pdp.Training;

/// <summary>A warm-up, then a straight line: d(x) = 1 − x, as in BERT's fine-tuning.</summary>
/// <remarks>
/// See <see cref="LearningRateSchedule"/> for the warm-up and the final factor. A <see cref="LearningRateSchedule.FinalFactor"/> of 1 gives
/// a warm-up followed by a constant learning rate.
/// </remarks>
public sealed record LinearSchedule : LearningRateSchedule
{
    /// <summary>Makes a schedule without a warm-up that ends at 0, unless set otherwise.</summary>
    /// <param name="steps">The steps of the whole run, in (0, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="steps"/> is outside its range.</exception>
    public LinearSchedule(double steps)
        : base(steps)
    {
    }

    private protected override double Decay(double x) => 1 - x;
}
