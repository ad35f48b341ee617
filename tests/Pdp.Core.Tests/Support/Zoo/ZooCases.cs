namespace Pdp.Tests.Support;

/// <summary>The networks whose truth is known.</summary>
internal static class ZooCases
{
    public static IReadOnlyList<ZooCase> All { get; } =
    [
        .. KnownNets.Cases,
        .. AttentionNets.Cases,
        .. ProductNets.Cases,
        .. ChannelNets.Cases,
        .. BranchNets.Cases,
        .. TransformerNets.Cases,
        .. MobileNets.Cases,
        .. GateNets.Cases,
        .. BareNets.Cases,
    ];

    /// <summary>Networks that channel discovery gets wrong, and how.</summary>
    public static IReadOnlyDictionary<string, string> KnownFaults { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["AttentionByCount"] = "v is cut channel by channel, past the heads",
        ["AttentionByWidth"] = "whole heads are not found",
        ["SwiGlu"] = "products of two layers are not found",
        ["Product"] = "products of two layers are not found",
        ["Softplus"] = "the reason is another than that silence isn't zero",
        ["Exponential"] = "the reason is another than that silence isn't zero",
        ["HardSigmoid"] = "the reason is another than that silence isn't zero",
        ["DepthwiseResidual"] = "channels that are added to a depthwise convolution of them are not found",
        ["SpatialMaximum"] = "a silent channel may be the greatest of negative ones, which the certificate's example doesn't show",
        ["GatedNet"] = "a layer behind halves that are multiplied is not found",
        ["SigmoidNet"] = "the reason is another than that silence isn't zero",
        ["PaddedWithOnes"] = "the reason is another than that silence isn't zero",
        ["Shifted"] = "the reason is another than that silence isn't zero",
        ["Film"] = "a shift and a scale from other layers are not found",
        ["Cbam"] = "a gate of channels that stay is named nowhere",
        ["ConvMixer"] = "channels that are added to a depthwise convolution of them are not found",
        ["TemporalShift"] = "the trial cut moves the same channels by chance",
        ["Vit2"] = "whole heads are not found",
        ["Vit4"] = "whole heads are not found",
        ["Bert2"] = "v is cut channel by channel, past the heads",
        ["Bert4"] = "v is cut channel by channel, past the heads",
        ["Llama"] = "products of two layers are not found",
        ["AuxiliaryHead"] = "layers that only training runs are not cut",
    };

    /// <summary>Known faults that end the process.</summary>
    public static IReadOnlyDictionary<string, string> Aborting { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ValueHead"] = "the trial cut runs a matmul of sizes that don't match",
    };

    public static ZooCase Get(string name) => All.Single(zoo => zoo.Name == name);
}
