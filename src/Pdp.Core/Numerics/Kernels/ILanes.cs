namespace Pdp.Numerics.Kernels;

/// <summary>A vector of float32 numbers. The kernels are written once on this interface and compiled for each width.</summary>
/// <remarks>Where a comparison holds, the result has all bits set, and elsewhere none, so that <c>&amp;</c> selects by it.</remarks>
/// <typeparam name="TSelf">The vector.</typeparam>
internal unsafe interface ILanes<TSelf>
    where TSelf : unmanaged, ILanes<TSelf>
{
    /// <summary>How many numbers a vector has: a power of two, at most 16.</summary>
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

    /// <summary>a·b + c, rounded once if the processor can do so.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>a·2ⁿ, with n in the lowest bits of another vector.</summary>
    static abstract TSelf Scale(TSelf a, TSelf n);

    /// <summary>Each four numbers in the order 1, 0, 3, 2.</summary>
    static abstract TSelf SwapNeighbours(TSelf a);

    /// <summary>Each four numbers in the order 2, 3, 0, 1.</summary>
    static abstract TSelf SwapPairs(TSelf a);

    /// <summary>The sum of the numbers.</summary>
    static abstract float Sum(TSelf a);

    /// <summary>The highest bit of each number; that of the first is the lowest bit of the result.</summary>
    static abstract uint HighestBits(TSelf a);

    void Store(float* target);

    /// <summary>Stores without going through the caches; the address is a multiple of the vector's size.</summary>
    void StorePast(float* target);
}
