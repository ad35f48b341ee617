using Pdp.Internal;

namespace Pdp.Training;

/// <summary>The settings of <see cref="Distillation"/>.</summary>
public sealed record DistillationOptions
{
    /// <summary>The temperature T that divides the logits of student and teacher.</summary>
    /// <value>In [0.001, 10000], where float64 keeps at least six digits of the divergence; 2 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double Temperature
    {
        get;
        init => field = value is >= 1e-3 and <= 1e4 ? value : throw Guard.Outside(nameof(Temperature), value, "[0.001, 10000]");
    } = 2;

    /// <summary>The weight α of the soft targets; the task's loss has the weight 1 − α.</summary>
    /// <value>In [0, 1]; 0.5 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double Weight { get; init => field = Guard.Share(value); } = 0.5;

    /// <summary>The weight β of the distance of hidden states, where these are given.</summary>
    /// <value>In [0, ∞); 1 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double HiddenWeight { get; init => field = Guard.NotNegative(value); } = 1;

    /// <summary>How the distance of hidden states is measured.</summary>
    /// <value><see cref="HiddenDistance.MeanSquare"/> by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the enumeration.</exception>
    public HiddenDistance HiddenDistance
    {
        get;
        init => field = Enum.IsDefined(value)
            ? value
            : throw Guard.Outside(nameof(HiddenDistance), value, string.Join(", ", Enum.GetNames<HiddenDistance>()));
    }
}
