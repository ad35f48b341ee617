using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>The magnitudes of ranks p and p + 1 in groups of M, for a vector of groups at a time.</summary>
/// <typeparam name="TLanes">The vector.</typeparam>
internal sealed unsafe class OrderStatistics<TLanes>(int members)
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>p, the members removed of each group, in [1, members).</summary>
    public int Removed { get; set; }

    /// <summary>Both, added, of the columns of a vector whose rows are a step apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes SumOf(float* w, long step)
    {
        if (members != 4)
            return SumOfMany(w, step);

        var (a, b) = (TLanes.Abs(TLanes.Load(w)), TLanes.Abs(TLanes.Load(w + step)));
        var (c, d) = (TLanes.Abs(TLanes.Load(w + (2 * step))), TLanes.Abs(TLanes.Load(w + (3 * step))));
        return SumOfFour(TLanes.Min(a, b), TLanes.Max(a, b), TLanes.Min(c, d), TLanes.Max(c, d));
    }

    /// <summary>The same of four neighbours, in the places of all four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes SumWithin(TLanes w)
    {
        var first = TLanes.Abs(w);
        var second = TLanes.SwapNeighbours(first);
        var (low, high) = (TLanes.Min(first, second), TLanes.Max(first, second));
        return SumOfFour(low, high, TLanes.SwapPairs(low), TLanes.SwapPairs(high));
    }

    /// <summary>Of four, from two sorted pairs: a network that stays in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TLanes SumOfFour(TLanes low, TLanes high, TLanes otherLow, TLanes otherHigh)
    {
        var (innerLow, innerHigh) = (TLanes.Max(low, otherLow), TLanes.Min(high, otherHigh));
        var (second, third) = (TLanes.Min(innerLow, innerHigh), TLanes.Max(innerLow, innerHigh));
        return Removed switch
        {
            1 => TLanes.Min(low, otherLow) + second,
            2 => second + third,
            _ => third + TLanes.Max(high, otherHigh),
        };
    }

    [MethodImpl(Compiled.AtOnce)]
    [SkipLocalsInit]
    private TLanes SumOfMany(float* w, long step)
    {
        var sorted = stackalloc TLanes[IGroupBoundaries.MostMembers];
        for (var member = 0; member < members; member++)
            sorted[member] = TLanes.Abs(TLanes.Load(w + (member * step)));
        SortUpTo(sorted, members, Removed);
        return sorted[Removed - 1] + sorted[Removed];
    }

    /// <summary>Puts the members of ranks p and p + 1, counted from 1, into their places, from the side that is nearer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SortUpTo(TLanes* keys, int count, int removed)
    {
        if (removed + 1 <= count - removed + 1)
        {
            for (var done = 0; done <= removed; done++)
            {
                for (var i = count - 1; i > done; i--)
                    Order(keys + i - 1);
            }
        }
        else
        {
            for (var done = count - 1; done >= removed - 1; done--)
            {
                for (var i = 0; i < done; i++)
                    Order(keys + i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Order(TLanes* pair) =>
        (pair[0], pair[1]) = (TLanes.Min(pair[0], pair[1]), TLanes.Max(pair[0], pair[1]));
}
