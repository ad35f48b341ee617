namespace Pdp.Strategies;

/// <summary>The rule that turns a fraction into a whole number.</summary>
internal static class Counts
{
    /// <summary>Keeps 0.8·1000 at 800 if the product falls short of it by a rounding error.</summary>
    private const double Slack = 1e-9;

    /// <summary><c>p = ⌊share·n + 1e-9⌋</c>.</summary>
    public static long Floor(long count, double share) => (long)Math.Floor((share * count) + Slack);

    /// <summary>The largest number of members, up to a limit, whose removal leaves a multiple of the alignment, or all members.</summary>
    public static long Aligned(long members, long removed, int alignment) =>
        Math.Max(0, members - ((members - removed + alignment - 1) / alignment * alignment));
}
