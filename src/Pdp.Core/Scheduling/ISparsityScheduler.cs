using Pdp.Scheduling;

namespace Pdp;

/// <summary>Says how much of the target sparsity is asked for at an epoch; a pure function.</summary>
/// <remarks>Epochs count from 0 and may be fractional: 2.5 is the middle of the third epoch. Implementations are immutable.</remarks>
public interface ISparsityScheduler
{
    /// <summary>The epoch at which pruning begins; before it training is dense. At it the sparsity of each layer is decided.</summary>
    /// <value>In epochs, at least 0.</value>
    double StartEpoch { get; }

    /// <summary>The epoch from which on the whole target is asked for.</summary>
    /// <value>In epochs, at least <see cref="StartEpoch"/>.</value>
    double EndEpoch { get; }

    /// <summary>The share of the target sparsity that is asked for.</summary>
    /// <param name="epoch">The epoch, whole or fractional, at least 0.</param>
    /// <returns>A value in [0, 1]: 0 up to <see cref="StartEpoch"/>, 1 from <see cref="EndEpoch"/> on; never falling, but where dense phases come in between.</returns>
    double Fraction(double epoch);

    /// <summary>What it is and what it is set to, in words. Saved states hold them, and are restored only where they are the same.</summary>
    /// <remarks>Write numbers in the invariant culture, and leave out what is at a default that was added later.</remarks>
    /// <returns>By default what <c>ToString</c> gives, the window, and the shares at five epochs of it.</returns>
    string Describe() => ScheduleWords.Of(this);
}
