using Pdp.Scheduling;

namespace Pdp;

/// <summary>Determines how much of the target sparsity is asked for at an epoch; a pure function.</summary>
/// <remarks>Epochs count from 0 and may be fractional: 2.5 is the middle of the third epoch. Implementations are immutable.</remarks>
public interface ISparsityScheduler
{
    /// <summary>The epoch at which pruning begins and the sparsity of each layer is decided; training is dense before it.</summary>
    /// <value>In epochs, at least 0.</value>
    double StartEpoch { get; }

    /// <summary>The epoch from which the whole target is asked for.</summary>
    /// <value>In epochs, at least <see cref="StartEpoch"/>.</value>
    double EndEpoch { get; }

    /// <summary>The fraction of the target sparsity that is asked for.</summary>
    /// <param name="epoch">The epoch, whole or fractional, at least 0.</param>
    /// <returns>
    /// A value in [0, 1]: 0 before <see cref="StartEpoch"/>, 1 from <see cref="EndEpoch"/> on; non-decreasing, except for dense phases in
    /// between.
    /// </returns>
    double Fraction(double epoch);

    /// <summary>
    /// Describes the schedule and its settings. Saved states hold the description and are restored only if it is the same.
    /// </summary>
    /// <remarks>
    /// Write numbers in the invariant culture, and leave out settings that were added later and have their default value.
    /// </remarks>
    /// <returns>By default the result of <c>ToString</c>, the window, and the fractions at five epochs in it.</returns>
    string Describe() => ScheduleText.Of(this);
}
