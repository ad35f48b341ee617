using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>The magnitudes at ranks p and p + 1 in groups of M, for a vector of groups at a time.</summary>
/// <typeparam name="TLanes">The vector.</typeparam>
internal sealed unsafe class OrderStatistics<TLanes>(int members)
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>p, the number of members removed from each group, in [1, members).</summary>
    public int Removed { get; set; }

    /// <summary>The sum of both, for a vector of columns whose rows are a step apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes SumOf(float* w, long step)
    {
        if (members == 8)
            return SumOfEight(w, step);
        if (members != 4)
            return SumOfMany(w, step);
        return SumOfFour(PairOf(w, step), PairOf(w + (2 * step), step), Removed);
    }

    /// <summary>The same for groups of four neighbours; each of the four places gets the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes SumWithin(TLanes w)
    {
        var first = TLanes.Abs(w);
        var second = TLanes.SwapNeighbours(first);
        var (low, high) = Ordered(first, second);
        return SumOfFour((low, high), (TLanes.SwapPairs(low), TLanes.SwapPairs(high)), Removed);
    }

    /// <summary>The sum for groups of four, from two sorted pairs: a sorting network that stays in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes SumOfFour((TLanes Low, TLanes High) one, (TLanes Low, TLanes High) other, int removed)
    {
        var (second, third) = Ordered(TLanes.Max(one.Low, other.Low), TLanes.Min(one.High, other.High));
        return removed switch
        {
            1 => TLanes.Min(one.Low, other.Low) + second,
            2 => second + third,
            _ => third + TLanes.Max(one.High, other.High),
        };
    }

    /// <summary>The sum for groups of eight, from two sorted fours.</summary>
    /// <remarks>The minima of the first of one four and the last of the other, and so on, are the lower half of the eight.</remarks>
    [MethodImpl(Compiled.AtOnce)]
    private TLanes SumOfEight(float* w, long step)
    {
        var ((a, b, c, d), (e, f, g, h)) = (FourOf(w, step), FourOf(w + (4 * step), step));
        ((a, h), (b, g), (c, f), (d, e)) = (Ordered(a, h), Ordered(b, g), Ordered(c, f), Ordered(d, e));
        if (Removed == 4)
            return TLanes.Max(TLanes.Max(a, b), TLanes.Max(c, d)) + TLanes.Min(TLanes.Min(e, f), TLanes.Min(g, h));

        return Removed < 4
            ? SumOfFour(Ordered(a, b), Ordered(c, d), Removed)
            : SumOfFour(Ordered(e, f), Ordered(g, h), Removed - 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TLanes First, TLanes Second, TLanes Third, TLanes Fourth) FourOf(float* w, long step)
    {
        var (one, other) = (PairOf(w, step), PairOf(w + (2 * step), step));
        var (second, third) = Ordered(TLanes.Max(one.Low, other.Low), TLanes.Min(one.High, other.High));
        return (TLanes.Min(one.Low, other.Low), second, third, TLanes.Max(one.High, other.High));
    }

    /// <summary>The magnitudes of two members, the smaller one first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TLanes Low, TLanes High) PairOf(float* w, long step) =>
        Ordered(TLanes.Abs(TLanes.Load(w)), TLanes.Abs(TLanes.Load(w + step)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TLanes Low, TLanes High) Ordered(TLanes a, TLanes b) => (TLanes.Min(a, b), TLanes.Max(a, b));

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

    /// <summary>Sorts from the nearer end until the members at ranks p and p + 1, counted from 1, are in place.</summary>
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
    private static void Order(TLanes* pair) => (pair[0], pair[1]) = Ordered(pair[0], pair[1]);
}
