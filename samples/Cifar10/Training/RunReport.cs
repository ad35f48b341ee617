namespace Pdp.Samples.Cifar10;

/// <summary>The last line of a run, and its report.json. Accuracies are fractions; null is what a dense run does not have, or what was not measured.</summary>
internal sealed record RunReport
{
    public required string Method { get; init; }

    public required string Strategy { get; init; }

    /// <summary>The fraction of the prunable weights that are exactly zero.</summary>
    public required double Sparsity { get; init; }

    /// <summary>The fraction of the multiplications that are gone, where channels were removed.</summary>
    public double? MacsRemoved { get; init; }

    /// <summary>Before training.</summary>
    public required double? StartAccuracy { get; init; }

    /// <summary>With soft masks, as in training.</summary>
    public double? SoftAccuracy { get; init; }

    /// <summary>With the removed weights at zero and the kept ones at m·w.</summary>
    public double? FoldedAccuracy { get; init; }

    /// <summary>With the removed weights at zero and the kept ones at w.</summary>
    public double? RawAccuracy { get; init; }

    /// <summary>How many times faster the shrunk network's forward pass is than the dense one's.</summary>
    public double? Speedup { get; init; }

    /// <summary>Of the network as it is saved, shrunk if channels were removed.</summary>
    public required double Accuracy { get; init; }

    public required int Epochs { get; init; }

    public required int Seed { get; init; }

    public required double SecondsPerEpoch { get; init; }

    /// <summary>A training step over what it would take without pruning, medians.</summary>
    public required double? StepRatio { get; init; }

    /// <summary>The most memory that the process had resident until the end of training, in bytes.</summary>
    public required long PeakMemory { get; init; }

    /// <summary>What the method learned besides the weights.</summary>
    public required long ExtraParameters { get; init; }

    /// <summary>The settings that decide the numbers, as options.</summary>
    public required string Settings { get; init; }
}
