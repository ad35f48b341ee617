namespace Pdp.Numerics.Kernels;

/// <summary>Float32 numbers side by side in one register: the kernels are written once on this, and compiled for each width that there is.</summary>
/// <remarks>Comparisons give numbers whose bits are all set where they hold, and 0 where not, to be combined by <c>&amp;</c>.</remarks>
/// <typeparam name="TSelf">The vector.</typeparam>
internal unsafe interface ILanes<TSelf>
    where TSelf : unmanaged, ILanes<TSelf>
{
    /// <summary>The numbers of a vector; a power of two of at most <see cref="Lanes.Most"/>.</summary>
    static abstract int Count { get; }

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    static abstract TSelf operator &(TSelf a, TSelf b);

    static abstract TSelf Create(float value);

    static abstract TSelf Load(float* source);

    static abstract TSelf Abs(TSelf a);

    static abstract TSelf Min(TSelf a, TSelf b);

    static abstract TSelf Max(TSelf a, TSelf b);

    static abstract TSelf Equal(TSelf a, TSelf b);

    static abstract TSelf Less(TSelf a, TSelf b);

    static abstract TSelf GreaterOrEqual(TSelf a, TSelf b);

    /// <summary>a·b + c, rounded once where the processor can.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>a·2ⁿ, with n in the lowest bits of another vector.</summary>
    static abstract TSelf Scale(TSelf a, TSelf n);

    /// <summary>The numbers at 1, 0, 3, 2 of each four.</summary>
    static abstract TSelf SwapNeighbours(TSelf a);

    /// <summary>The numbers at 2, 3, 0, 1 of each four.</summary>
    static abstract TSelf SwapPairs(TSelf a);

    /// <summary>The highest bit of each number, the first in the lowest place.</summary>
    static abstract uint HighestBits(TSelf a);

    void Store(float* target);

    /// <summary>Stores past the caches; the place is a multiple of the vector's length.</summary>
    void StorePast(float* target);
}
