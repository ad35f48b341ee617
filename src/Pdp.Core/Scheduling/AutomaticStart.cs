using Pdp.Internal;

namespace Pdp;

/// <summary>Begins pruning once a metric that the caller reports has stayed above a level for some epochs in a row.</summary>
/// <remarks>
/// The paper's rule: begin once validation accuracy stays above half of its upper bound for 5 epochs. The schedule is then shifted so that
/// it starts at that epoch, and the annealing is compressed into the rest of the run. If the metric never gets there, pruning begins at the
/// last epoch from which the schedule still ends within the run.
/// </remarks>
public sealed record AutomaticStart
{
    /// <summary>The level, in the metric's own unit; a report above it counts.</summary>
    /// <value>Any finite number.</value>
    public required double Level
    {
        get;
        init => field = double.IsFinite(value) ? value : throw Guard.Outside(nameof(Level), value, "(-∞, ∞)");
    }

    /// <summary>The number of consecutive reports, one per epoch, that must be above the level.</summary>
    /// <value>At least 1; default 5.</value>
    public int Epochs
    {
        get;
        init => field = value >= 1 ? value : throw Guard.Outside(nameof(Epochs), value, "[1, ∞)");
    } = 5;
}
