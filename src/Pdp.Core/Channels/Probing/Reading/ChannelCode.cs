using System.Numerics;

namespace Pdp.Channels.Probing.Reading;

/// <summary>Identifies channels by zeroing half of them at a time: those with a given bit in their index.</summary>
/// <remarks>Layers of the same width are zeroed in the same way, so that channels that are added become zero together.</remarks>
internal static class ChannelCode
{
    /// <summary>The number of bits of the channels' indices. For each bit, both halves hold at least one channel.</summary>
    public static int Bits(long channels) => channels <= 1 ? 0 : BitOperations.Log2((ulong)channels - 1) + 1;

    /// <summary>Whether a channel is zeroed in the pass that zeroes all indices with this value of the bit.</summary>
    public static bool IsZeroed(long channels, long channel, int bit, int value) =>
        bit < Bits(channels) && ((channel >> bit) & 1) == value;
}
