namespace Pdp;

/// <summary>A group of channels, and how many of them are removed.</summary>
/// <param name="Group">The group.</param>
/// <param name="Removed">The number of removed channels, in [0, channels).</param>
public readonly record struct ChannelCut(ChannelGroup Group, long Removed);
