namespace Pdp.Channels.Probing.Reading;

/// <summary>The units in which a layer's channels can be removed: unit u owns the block u of each of several equal parts.</summary>
/// <param name="Units">The number of units.</param>
/// <param name="Parts">
/// The number of parts: 1, or more if code splits the channels and combines the parts, as in gated linear units and attention.
/// </param>
internal readonly record struct ChannelLayout(long Units, long Parts = 1)
{
    /// <summary>The unit of a channel.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="channels">The number of the layer's channels.</param>
    public long UnitOf(long channel, long channels) => channel % (channels / Parts) / (channels / Parts / Units);
}
