namespace Pdp.Benchmarks;

/// <summary>What a masked step does besides masking by magnitude.</summary>
internal enum StepForm
{
    /// <summary>Nothing.</summary>
    Plain,

    /// <summary>Learns Taylor importance from the gradients and ranks by it.</summary>
    Taylor,

    /// <summary>Has a listener for the pruner's metrics, which are read in every step rather than in every hundredth.</summary>
    Metered,

    /// <summary>Trains on after the commit, and keeps the zeros.</summary>
    Committed,
}
