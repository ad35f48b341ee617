using Pdp.Internal;

namespace Pdp;

/// <summary>A ramp from 0 to 1 over a window of epochs; derived types define its shape.</summary>
public abstract record WindowRamp : ISparsityScheduler
{
    /// <summary>Sets the window.</summary>
    /// <param name="start">The epoch at which pruning begins, in [0, ∞).</param>
    /// <param name="end">The epoch at which the target is reached, in (start, ∞).</param>
    private protected WindowRamp(double start, double end)
    {
        StartEpoch = Guard.NotNegative(start, nameof(start));
        EndEpoch = Guard.After(start, end, nameof(end));
    }

    /// <inheritdoc/>
    public double StartEpoch { get; }

    /// <inheritdoc/>
    public double EndEpoch { get; }

    /// <inheritdoc/>
    public double Fraction(double epoch) =>
        epoch <= StartEpoch ? 0 : epoch >= EndEpoch ? 1 : Shape((epoch - StartEpoch) / (EndEpoch - StartEpoch));

    /// <inheritdoc/>
    public string Describe() => $"{GetType().Name} from epoch {InvariantText.Of(StartEpoch)} to {InvariantText.Of(EndEpoch)}";

    /// <summary>The ramp over the window scaled to [0, 1].</summary>
    private protected abstract double Shape(double x);
}
