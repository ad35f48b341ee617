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
        .. OddNets.Cases,
    ];

    /// <summary>Networks that channel discovery gets wrong, and how.</summary>
    public static IReadOnlyDictionary<string, string> KnownFaults { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["GatedNet"] = "a layer behind halves that are multiplied is not found",
        ["Film"] = "a shift and a scale from other layers are not found",
    };

    public static ZooCase Get(string name) => All.Single(zoo => zoo.Name == name);
}
