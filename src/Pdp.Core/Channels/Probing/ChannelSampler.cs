namespace Pdp.Channels.Probing;

/// <summary>Chooses the channels that are removed in checks.</summary>
internal static class ChannelSampler
{
    /// <summary>The kept channels of each group: at least one but not all, in a pattern and number specific to the group.</summary>
    public static IReadOnlyList<(ChannelGroup Group, long[] Kept)> Of(IReadOnlyList<ChannelGroup> groups, ulong seed) =>
        [.. groups.Select(group => (group, Of(group, seed)))];

    private static long[] Of(ChannelGroup group, ulong seed)
    {
        var own = group.Name.Aggregate(seed, (hash, letter) => Mix(hash ^ letter));
        var most = group.Channels - 1;
        var removed = (int)Math.Clamp((group.Channels * 2 / 5) + (long)(own % 3) - 1, 1, most);
        var shuffled = Enumerable.Range(0, (int)group.Channels).OrderBy(channel => Mix(own + (ulong)channel));
        return [.. shuffled.Skip(removed).Order().Select(channel => (long)channel)];
    }

    /// <summary>Mixes the bits of a number by SplitMix64.</summary>
    private static ulong Mix(ulong bits)
    {
        unchecked
        {
            bits += 0x9E3779B97F4A7C15;
            bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
            bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
            return bits ^ (bits >> 31);
        }
    }
}
