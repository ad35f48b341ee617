namespace Pdp.Samples;

/// <summary>What the training of a run has cost, in all processes that it has been resumed in.</summary>
/// <param name="StepSeconds">The time of all steps.</param>
/// <param name="PruningSeconds">The time of these that was spent in pruning.</param>
/// <param name="PeakMemory">The most memory that a process had resident, in bytes; null where the system doesn't say.</param>
internal sealed record RunCosts(double StepSeconds, double PruningSeconds, long? PeakMemory)
{
    /// <summary>The name of a checkpoint's text that holds it.</summary>
    public const string Name = "costs";

    /// <summary>A run that has not begun.</summary>
    public static readonly RunCosts None = new(StepSeconds: 0, PruningSeconds: 0, PeakMemory: null);

    /// <summary>The time of all steps over what is left without pruning; null before the first step.</summary>
    public double? Ratio() => StepSeconds == 0 ? null : StepSeconds / (StepSeconds - PruningSeconds);
}
