using System.Globalization;
using Pdp.Internal;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>
/// The learning rate of each step, as a factor of the initial one: a linear warm-up, then a decay whose shape derived types define.
/// </summary>
/// <remarks>
/// Of S steps, counted from k = 0, the first W are the warm-up: the factor is (k + 1)/(W + 1), which starts above 0 and would reach 1 at
/// k = W. From there on it is F + (1 − F)·d((k − W)/(S − W)), with the final factor F and a decay d that falls from d(0) = 1 to
/// d(1) = 0. The factor depends on the step alone, so that a checkpoint needn't save it.
/// </remarks>
public abstract record LearningRateSchedule
{
    /// <summary>Sets the length.</summary>
    /// <param name="steps">The steps of the whole run.</param>
    private protected LearningRateSchedule(double steps) => Steps = Guard.Positive(steps, nameof(steps));

    /// <summary>The steps S of the whole run, warm-up included.</summary>
    /// <value>In (0, ∞); it may have a fraction, as a fraction of an epoch may.</value>
    public double Steps { get; }

    /// <summary>The steps W of the warm-up.</summary>
    /// <value>
    /// In [0, <see cref="Steps"/>]; 0 by default. If it is S, the run is all warm-up: the factor rises to its last step, and is F only at
    /// k = S, after the run.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double WarmupSteps
    {
        get;
        init => field = value >= 0 && value <= Steps
            ? value
            : throw Guard.Outside(nameof(WarmupSteps), value, string.Create(CultureInfo.InvariantCulture, $"[0, {Steps}]"));
    }

    /// <summary>The factor F that the learning rate ends at.</summary>
    /// <value>In [0, 1]; 0 by default. With 1 the learning rate stays constant after the warm-up.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double FinalFactor { get; init => field = Guard.Share(value); }

    /// <summary>The factor of a step.</summary>
    /// <param name="step">The step k, counted from 0 over the whole run, in [0, <see cref="Steps"/>].</param>
    /// <returns>A number in [0, 1] that the initial learning rate is multiplied by.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="step"/> is outside its range.</exception>
    public double Factor(long step)
    {
        if (!(step >= 0 && step <= Steps))
        {
            throw Guard.Outside(nameof(step), step,
                string.Create(CultureInfo.InvariantCulture, $"[0, {Steps}], the steps of the schedule"));
        }

        return step < WarmupSteps ? (step + 1) / (WarmupSteps + 1)
            : step == Steps ? FinalFactor
            : FinalFactor + ((1 - FinalFactor) * Decay((step - WarmupSteps) / (Steps - WarmupSteps)));
    }

    /// <summary>Sets the learning rate of each group to its initial one times the factor, so that groups keep their ratios.</summary>
    /// <param name="optimizer">
    /// An optimizer of this package or TorchSharp's. Its groups' initial learning rates are those that it was made with.
    /// </param>
    /// <param name="step">The step that comes next, counted from 0 over the whole run, in [0, <see cref="Steps"/>].</param>
    /// <exception cref="ArgumentNullException"><paramref name="optimizer"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="step"/> is outside its range.</exception>
    public void Apply(optim.Optimizer optimizer, long step)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        var factor = Factor(step);
        foreach (var group in optimizer.ParamGroups)
        {
            group.LearningRate = group.InitialLearningRate * factor;
        }
    }

    /// <summary>The decay over the steps after the warm-up, scaled to [0, 1]: from 1 down to 0.</summary>
    private protected abstract double Decay(double x);
}
