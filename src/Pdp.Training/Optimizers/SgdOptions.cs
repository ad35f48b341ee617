using Pdp.Internal;

namespace Pdp.Training;

/// <summary>The settings of <see cref="FusedSgd"/>, named as in PyTorch.</summary>
public sealed record SgdOptions
{
    /// <summary>The learning rate γ.</summary>
    /// <value>In [0, ∞).</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public required double LearningRate { get; init => field = Guard.NotNegative(value); }

    /// <summary>The momentum μ.</summary>
    /// <value>In [0, 1); 0 by default, which needs no buffers.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double Momentum { get; init => field = Guard.Fraction(value); }

    /// <summary>The dampening of the momentum.</summary>
    /// <value>In [0, 1]; 0 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double Dampening { get; init => field = Guard.Share(value); }

    /// <summary>The weight decay λ, an L2 penalty that is added to the gradient.</summary>
    /// <value>In [0, ∞); 0 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double WeightDecay { get; init => field = Guard.NotNegative(value); }

    /// <summary>Whether the step is Nesterov's, which needs a momentum above 0 and no dampening.</summary>
    /// <value>False by default.</value>
    public bool IsNesterov { get; init; }
}
