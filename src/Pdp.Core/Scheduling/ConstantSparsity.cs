namespace Pdp;

/// <summary>Asks for the whole target from the first step on.</summary>
public sealed record ConstantSparsity : ISparsityScheduler
{
    /// <inheritdoc/>
    public double StartEpoch => 0;

    /// <inheritdoc/>
    public double EndEpoch => 0;

    /// <inheritdoc/>
    public double Fraction(double epoch) => 1;

    /// <inheritdoc/>
    public string Describe() => nameof(ConstantSparsity);
}
