using System.Text.Json.Serialization;
using Pdp.Samples.Comparison;

namespace Pdp.Samples.Cifar10;

/// <summary>
/// The last line of a run, and its report.json. Accuracies are fractions; null is what a dense run does not have, or what was not
/// measured.
/// </summary>
internal sealed record RunReport : ComparedReport
{
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

    /// <summary>The processes that trained it together.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>The time in which a rank averages gradients, waiting included; null where it is alone.</summary>
    public double? CommunicationSecondsPerStep { get; init; }

    [JsonIgnore]
    public override double Score => Accuracy;

    [JsonIgnore]
    public override double? SoftScore => SoftAccuracy;

    [JsonIgnore]
    public override double? StartScore => StartAccuracy;

    [JsonIgnore]
    public override double? RemovedMacs => MacsRemoved;
}
