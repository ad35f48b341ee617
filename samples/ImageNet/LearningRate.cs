namespace Pdp.Samples.ImageNet;

/// <summary>
/// A linear warm-up, then half a cosine down to zero: a function of the step alone, so that nothing of it needs to be saved.
/// </summary>
/// <param name="Highest">The learning rate at the end of the warm-up.</param>
/// <param name="WarmupSteps">The steps of the warm-up.</param>
/// <param name="Steps">The steps of the whole run.</param>
internal readonly record struct LearningRate(double Highest, double WarmupSteps, double Steps)
{
    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">The step, counted from 0 over the whole run.</param>
    public double At(long step) => step < WarmupSteps
        ? Highest * (step + 1) / (WarmupSteps + 1)
        : Highest * 0.5 * (1 + Math.Cos(Math.PI * (step - WarmupSteps) / (Steps - WarmupSteps)));
}
