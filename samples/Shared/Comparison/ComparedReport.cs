using System.Text.Json.Serialization;

namespace Pdp.Samples.Comparison;

/// <summary>What the reports of all compared samples say. Each sample's report adds its own.</summary>
internal abstract record ComparedReport
{
    /// <summary>Puts a property before those that a sample's own report adds.</summary>
    private const int First = -1;

    [JsonPropertyOrder(First)]
    public required string Method { get; init; }

    [JsonPropertyOrder(First)]
    public required string Strategy { get; init; }

    /// <summary>The fraction of the prunable weights that are exactly zero.</summary>
    [JsonPropertyOrder(First)]
    public required double Sparsity { get; init; }

    public required int Epochs { get; init; }

    public required int Seed { get; init; }

    public required double SecondsPerEpoch { get; init; }

    /// <summary>The time of all training steps over what they would have taken without pruning.</summary>
    public required double? StepRatio { get; init; }

    /// <summary>The most memory that a process had resident in training, in bytes; null where the system doesn't say.</summary>
    public required long? PeakMemory { get; init; }

    /// <summary>What the method learned besides the weights.</summary>
    public required long ExtraParameters { get; init; }

    /// <summary>The settings that decide the numbers, as options.</summary>
    public required string Settings { get; init; }

    /// <summary>The hash of the weights that the run started from; null for fresh ones.</summary>
    public required string? WeightsHash { get; init; }

    /// <summary>The version of the library that the run was made with; null in reports from before they recorded it.</summary>
    public string? Version { get; init; }

    /// <summary>What the run was computed on, at its end; null in reports from before they recorded it.</summary>
    public string? Machine { get; init; }

    /// <summary>The number that runs are compared by, of the network as it is saved.</summary>
    [JsonIgnore]
    public abstract double Score { get; }

    /// <summary>The same with soft masks, as in training; null where there are none.</summary>
    [JsonIgnore]
    public abstract double? SoftScore { get; }

    /// <summary>The same before training; null where it was not measured.</summary>
    [JsonIgnore]
    public virtual double? StartScore => null;

    /// <summary>The fraction of the multiplications that are gone; null where no channels were removed.</summary>
    [JsonIgnore]
    public virtual double? RemovedMacs => null;
}
