using Pdp.Internal;

namespace Pdp;

/// <summary>Trains dense up to an epoch and asks for the whole target from then on.</summary>
public sealed record OneShot : ISparsityScheduler
{
    /// <summary>The epoch of the jump.</summary>
    /// <value>In epochs, in [0, ∞).</value>
    public required double Epoch { get; init => field = Guard.NotNegative(value); }

    /// <inheritdoc/>
    public double StartEpoch => Epoch;

    /// <inheritdoc/>
    public double EndEpoch => Epoch;

    /// <inheritdoc/>
    public double Fraction(double epoch) => epoch >= Epoch ? 1 : 0;

    /// <inheritdoc/>
    public string Describe() => $"{nameof(OneShot)} at epoch {InvariantText.Of(Epoch)}";
}
