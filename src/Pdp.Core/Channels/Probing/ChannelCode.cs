using System.Numerics;

namespace Pdp.Channels.Probing;

/// <summary>Tells channels apart by silencing half of them at a time: those with a given bit in their index.</summary>
/// <remarks>Layers of the same width are silenced alike, so that channels that are added up fall silent together.</remarks>
internal static class ChannelCode
{
    /// <summary>The bits that the indices of so many channels have; at each of them both halves hold a channel.</summary>
    public static int Bits(long channels) => channels <= 1 ? 0 : BitOperations.Log2((ulong)channels - 1) + 1;

    /// <summary>Whether a channel of a layer is silent while a value of a bit is.</summary>
    public static bool IsSilent(long channels, long channel, int bit, int value) =>
        bit < Bits(channels) && ((channel >> bit) & 1) == value;
}
