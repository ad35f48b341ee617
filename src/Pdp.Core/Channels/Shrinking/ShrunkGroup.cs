namespace Pdp;

/// <summary>What is left of a group of channels.</summary>
/// <param name="Group">The group as it was.</param>
/// <param name="Kept">The channels that are left, in order; at least one.</param>
public sealed record ShrunkGroup(ChannelGroup Group, IReadOnlyList<long> Kept);
