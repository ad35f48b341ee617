namespace Pdp;

/// <summary>The channels of a group that were kept.</summary>
/// <param name="Group">The original group.</param>
/// <param name="Kept">The kept channels, in ascending order; at least one.</param>
public sealed record ShrunkGroup(ChannelGroup Group, IReadOnlyList<long> Kept);
