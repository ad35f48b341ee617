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
        .. FusedNets.Cases,
        .. ThresholdNets.Cases,
        .. StatisticNets.Cases,
        .. CountNets.Cases,
        .. MixingNets.Cases,
        .. SelectionNets.Cases,
    ];

    public static ZooCase Get(string name) => All.Single(zoo => zoo.Name == name);
}
