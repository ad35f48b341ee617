namespace Pdp.Channels.Probing.Checking;

/// <summary>Chooses the channels that are removed in checks.</summary>
internal static class ChannelSampler
{
    /// <summary>The golden section, whose multiples modulo 1 are spread as evenly as numbers in a sequence can be.</summary>
    private static readonly double Section = (Math.Sqrt(5) - 1) / 2;

    /// <summary>The kept channels of a group, in a pattern specific to it.</summary>
    /// <param name="group">The group.</param>
    /// <param name="seed">The seed. Successive ones keep other shares of the channels, from one channel to all but one.</param>
    /// <param name="share">The share of the channels that is kept, or null.</param>
    public static long[] Of(ChannelGroup group, ulong seed, double? share = null)
    {
        var kept = 1 + Math.Min((long)((share ?? ShareOf(group, seed)) * (group.Channels - 1)), group.Channels - 2);
        var own = Hash(group.Name, seed);
        var shuffled = Enumerable.Range(0, (int)group.Channels).OrderBy(channel => Mix(own + (ulong)channel));
        return [.. shuffled.Take((int)kept).Order().Select(channel => (long)channel)];
    }

    private static double ShareOf(ChannelGroup group, ulong seed) =>
        ((Hash(group.Name, 0) / (double)ulong.MaxValue) + (seed * Section)) % 1;

    private static ulong Hash(string name, ulong seed) => name.Aggregate(seed, (hash, letter) => Mix(hash ^ letter));

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
