using Pdp.Internal;

namespace Pdp;

/// <summary>The paper's ramp: <c>min(1, ε·(e − s))</c> after s dense epochs.</summary>
/// <remarks>PDP, algorithm 1. With ε = 0.015 and s = 16, the target is reached at epoch 82.7.</remarks>
public sealed record EpsilonRamp : ISparsityScheduler
{
    /// <summary>s, the dense epochs before pruning begins.</summary>
    /// <value>In epochs, in [0, ∞); default 16.</value>
    public double WarmupEpochs { get; init => field = Guard.NotNegative(value); } = 16;

    /// <summary>ε, the fraction of the target that each epoch adds.</summary>
    /// <value>Per epoch, in (0, ∞), above 1 for a ramp that takes less than an epoch; default 0.015.</value>
    public double Epsilon { get; init => field = Guard.Positive(value); } = 0.015;

    /// <inheritdoc/>
    public double StartEpoch => WarmupEpochs;

    /// <inheritdoc/>
    public double EndEpoch => WarmupEpochs + (1 / Epsilon);

    /// <inheritdoc/>
    public double Fraction(double epoch) => epoch >= EndEpoch ? 1 : Math.Clamp(Epsilon * (epoch - WarmupEpochs), 0, 1);

    /// <inheritdoc/>
    public string Describe() =>
        $"{nameof(EpsilonRamp)} of {InvariantText.Of(Epsilon)} an epoch after {InvariantText.Of(WarmupEpochs)} dense epochs";
}
