using static TorchSharp.torch;

namespace Pdp.Channels.Probing.Checking;

/// <summary>Weights, inputs and a mode with which cuts are checked.</summary>
/// <param name="Description">A description for messages, such as "with …".</param>
/// <param name="Fill">Sets the parameters and buffers.</param>
/// <param name="Inputs">The inputs of the model; null for the user's own.</param>
/// <param name="IsTraining">Whether the model is in training mode, except for its dropout.</param>
/// <param name="NormsEvaluate">Whether norms evaluate even in training mode.</param>
/// <param name="Drives">The values that removed channels get, to see whether they are isolated; null if that isn't checked.</param>
/// <param name="Share">The share of the channels that is kept; null if it depends on the seed.</param>
/// <param name="Kept">The kept channels of each group; null if they are chosen.</param>
/// <param name="Fallback">The scenario to use if this one is not conclusive.</param>
/// <param name="Seed">The seed for choosing the channels that are removed.</param>
internal sealed record Scenario(
    string Description,
    Action Fill,
    IReadOnlyList<Tensor>? Inputs,
    ulong Seed = 0,
    bool IsTraining = false,
    bool NormsEvaluate = false,
    IReadOnlyList<(double Least, double Most)>? Drives = null,
    double? Share = null,
    IReadOnlyDictionary<ChannelGroup, long[]>? Kept = null,
    Scenario? Fallback = null);
