using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pdp.Kernels;

/// <summary>The magnitudes of ranks p and p + 1 in groups of M, for sixteen groups at a time.</summary>
internal sealed unsafe class OrderStatistics(int members)
{
    /// <summary>p, the members removed of each group, in [1, members).</summary>
    public int Removed { get; set; }

    /// <summary>Both, added, of sixteen columns whose rows are a step apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> SumOf(float* w, long step)
    {
        if (members != 4)
            return SumOfMany(w, step);

        var (a, b) = (Vector512.Abs(Vector512.Load(w)), Vector512.Abs(Vector512.Load(w + step)));
        var (c, d) = (Vector512.Abs(Vector512.Load(w + (2 * step))), Vector512.Abs(Vector512.Load(w + (3 * step))));
        return SumOfFour(Vector512.MinNative(a, b), Vector512.MaxNative(a, b), Vector512.MinNative(c, d), Vector512.MaxNative(c, d));
    }

    /// <summary>The same of four neighbours, in the places of all four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> SumWithin(Vector512<float> w)
    {
        var first = Vector512.Abs(w);
        var second = Vector512.Shuffle(first, Vector512.Create(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
        var (low, high) = (Vector512.MinNative(first, second), Vector512.MaxNative(first, second));
        var otherPair = Vector512.Create(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
        return SumOfFour(low, high, Vector512.Shuffle(low, otherPair), Vector512.Shuffle(high, otherPair));
    }

    /// <summary>Of four, from two sorted pairs: a network that stays in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<float> SumOfFour(Vector512<float> low, Vector512<float> high, Vector512<float> otherLow, Vector512<float> otherHigh)
    {
        var (innerLow, innerHigh) = (Vector512.MaxNative(low, otherLow), Vector512.MinNative(high, otherHigh));
        var (second, third) = (Vector512.MinNative(innerLow, innerHigh), Vector512.MaxNative(innerLow, innerHigh));
        return Removed switch
        {
            1 => Vector512.MinNative(low, otherLow) + second,
            2 => second + third,
            _ => third + Vector512.MaxNative(high, otherHigh),
        };
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private Vector512<float> SumOfMany(float* w, long step)
    {
        var sorted = stackalloc Vector512<float>[GroupBoundaries.MostMembers];
        for (var member = 0; member < members; member++)
            sorted[member] = Vector512.Abs(Vector512.Load(w + (member * step)));
        SortUpTo(sorted, members, Removed);
        return sorted[Removed - 1] + sorted[Removed];
    }

    /// <summary>Puts the members of ranks p and p + 1, counted from 1, into their places, from the side that is nearer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SortUpTo(Vector512<float>* keys, int count, int removed)
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
    private static void Order(Vector512<float>* pair) =>
        (pair[0], pair[1]) = (Vector512.MinNative(pair[0], pair[1]), Vector512.MaxNative(pair[0], pair[1]));
}
