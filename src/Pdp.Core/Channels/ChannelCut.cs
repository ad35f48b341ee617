namespace Pdp;

/// <summary>A group of channels, and how many of them go.</summary>
/// <param name="Group">The group.</param>
/// <param name="Removed">The channels that go, in [0, channels); it doesn't matter which.</param>
public readonly record struct ChannelCut(ChannelGroup Group, long Removed);
