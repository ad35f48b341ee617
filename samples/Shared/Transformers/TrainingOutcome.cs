namespace Pdp.Samples.Transformers;

/// <summary>What the reports of all runs say of their training.</summary>
internal sealed record TrainingOutcome
{
    /// <summary>What was pruned; null in a dense run.</summary>
    public required PruningReport? Pruning { get; init; }

    /// <summary>The number that runs are compared by, under soft masks before the commit; null where there are none.</summary>
    public required double? SoftScore { get; init; }

    public required double SecondsPerEpoch { get; init; }

    public required double? StepRatio { get; init; }

    public required long? PeakMemory { get; init; }

    public required long ExtraParameters { get; init; }

    /// <summary>The fraction of the prunable weights that is zero.</summary>
    public double Sparsity => Pruning is null ? 0 : Pruning.Layers.Sum(layer => layer.Zeros) / (double)Pruning.PrunableWeights;
}
