namespace Pdp.Tests.Support;

/// <summary>The networks whose truth is known.</summary>
internal static class ZooCases
{
    public static IReadOnlyList<ZooCase> All { get; } =
    [
        .. AttentionNets.Cases,
        .. ProductNets.Cases,
        .. ChannelNets.Cases,
        .. BranchNets.Cases,
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
        ["AuxiliaryHead"] = "layers that only training runs are not cut",
    };

    /// <summary>Known faults that end the process.</summary>
    public static IReadOnlyDictionary<string, string> Aborting { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ValueHead"] = "the trial cut runs a matmul of sizes that don't match",
    };

    public static ZooCase Get(string name) => All.Single(zoo => zoo.Name == name);
}
