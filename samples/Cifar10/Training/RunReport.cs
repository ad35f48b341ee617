using System.Security.Cryptography;

namespace Pdp.Samples.Cifar10;

/// <summary>
/// The last line of a run, and its report.json. Accuracies are fractions; null is what a dense run does not have, or what was not
/// measured.
/// </summary>
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

    /// <summary>The time of all training steps over what they would have taken without pruning.</summary>
    public required double? StepRatio { get; init; }

    /// <summary>The most memory that the process had resident in training, in bytes.</summary>
    public required long PeakMemory { get; init; }

    /// <summary>What the method learned besides the weights.</summary>
    public required long ExtraParameters { get; init; }

    /// <summary>The settings that decide the numbers, as options.</summary>
    public required string Settings { get; init; }

    /// <summary>Tells the weights that the run started from apart from others; null for fresh ones.</summary>
    public required string? WeightsHash { get; init; }

    /// <summary>The processes that trained it together.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>The time in which a rank averages gradients, waiting included; null where it is alone.</summary>
    public double? CommunicationSecondsPerStep { get; init; }

    /// <summary>The hash of a file of weights.</summary>
    public static string? HashOf(string? weights)
    {
        if (weights is null)
        {
            return null;
        }

        using var file = File.OpenRead(weights);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
