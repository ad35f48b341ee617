using System.Text.Json;
using Pdp.Samples.ImageNet.Training;

namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>
/// The last line of a run, and its report.json. Accuracies and sparsities are fractions; null is what a dense run does not have.
/// </summary>
internal sealed record RunReport
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public required string Model { get; init; }

    public required string Method { get; init; }

    public required string Strategy { get; init; }

    /// <summary>Of the prunable weights.</summary>
    public required double Sparsity { get; init; }

    /// <summary>Weights that are zero in the network as it is saved.</summary>
    public required long Zeros { get; init; }

    /// <summary>Parameters of the network as it is saved.</summary>
    public required long Parameters { get; init; }

    /// <summary>With soft masks, as in training.</summary>
    public Accuracy? Soft { get; init; }

    /// <summary>With the removed weights at zero and the kept ones at m·w.</summary>
    public Accuracy? Folded { get; init; }

    /// <summary>With the removed weights at zero and the kept ones at w.</summary>
    public Accuracy? Raw { get; init; }

    /// <summary>Of the network as it is saved: committed, and shrunk if channels were removed.</summary>
    public required Accuracy Final { get; init; }

    /// <summary>The multiply-accumulates left, of those the dense network has, for channels.</summary>
    public double? MacsLeft { get; init; }

    public required int Epochs { get; init; }

    public required int Seed { get; init; }

    public required double FirstLoss { get; init; }

    public required double LastLoss { get; init; }

    public required double SecondsPerEpoch { get; init; }

    /// <summary>The processes that trained it together.</summary>
    public required int Ranks { get; init; }

    /// <summary>The time in which a rank averages gradients, waiting included; null where it is alone.</summary>
    public double? CommunicationSecondsPerStep { get; init; }

    /// <summary>The version of the library that the run was made with.</summary>
    public required string Version { get; init; }

    /// <summary>What the run was computed on, at its end.</summary>
    public required string Machine { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
