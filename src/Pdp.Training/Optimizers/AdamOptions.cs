using Pdp.Internal;

namespace Pdp.Training;

/// <summary>The settings of <see cref="FusedAdam"/> and <see cref="FusedAdamW"/>, with PyTorch's names and defaults.</summary>
public sealed record AdamOptions
{
    /// <summary>The learning rate γ.</summary>
    /// <value>In [0, ∞); 1e-3 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double LearningRate { get; init => field = Guard.NotNegative(value); } = 1e-3;

    /// <summary>The decay β₁ of the running mean of gradients.</summary>
    /// <value>In [0, 1); 0.9 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double Beta1 { get; init => field = Guard.Fraction(value); } = 0.9;

    /// <summary>The decay β₂ of the running mean of squared gradients.</summary>
    /// <value>In [0, 1); 0.999 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double Beta2 { get; init => field = Guard.Fraction(value); } = 0.999;

    /// <summary>The term ε that is added to the denominator.</summary>
    /// <value>In [0, ∞); 1e-8 by default, which is 0 in float16: for parameters of that type set at least 1e-7.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double Epsilon { get; init => field = Guard.NotNegative(value); } = 1e-8;

    /// <summary>
    /// The weight decay λ: an L2 penalty in <see cref="FusedAdam"/>, decoupled from the gradient in <see cref="FusedAdamW"/>.
    /// </summary>
    /// <value>In [0, ∞); by default (null) 0 in <see cref="FusedAdam"/> and 0.01 in <see cref="FusedAdamW"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double? WeightDecay { get; init => field = value is { } given ? Guard.NotNegative(given) : null; }

    /// <summary>Whether the largest running mean of squared gradients so far replaces the current one (AMSGrad).</summary>
    /// <value>False by default.</value>
    public bool UsesAmsGrad { get; init; }
}
