namespace Pdp.Strategies;

/// <summary>The one rule that turns a share into a whole number.</summary>
internal static class Counts
{
    /// <summary>Keeps 0.8·1000 at 800 where the product falls a rounding error short of it.</summary>
    private const double Slack = 1e-9;

    /// <summary><c>p = ⌊share·n + 1e-9⌋</c>.</summary>
    public static long Floor(long count, double share) => (long)Math.Floor((share * count) + Slack);

    /// <summary>The most members, up to a number, whose removal leaves a multiple of so many, or all.</summary>
    public static long Aligned(long members, long removed, int alignment) =>
        Math.Max(0, members - ((members - removed + alignment - 1) / alignment * alignment));
}
