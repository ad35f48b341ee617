using System.Numerics;

namespace Pdp.Reporting;

/// <summary>
/// The bytes that a tensor takes in a file of Pdp.Sparse, whose writer shares this source: dense, or packed as its nonzeros and the code
/// of their places, whichever is smaller.
/// </summary>
internal static class StoredBytes
{
    /// <summary>What a packed tensor has to save: the header of the file says about 130 bytes more of it.</summary>
    public const int LeastSaving = 128;

    /// <summary>The bytes of a tensor, without its entries in the header.</summary>
    /// <param name="elements">The number of its elements.</param>
    /// <param name="nonzeros">The number of elements with any bit set.</param>
    /// <param name="width">The bytes of an element.</param>
    public static long Of(long elements, long nonzeros, int width) =>
        IsPacked(elements, nonzeros, width) ? Packed(elements, nonzeros, width) : elements * width;

    /// <summary>Whether packing saves enough.</summary>
    public static bool IsPacked(long elements, long nonzeros, int width) =>
        Packed(elements, nonzeros, width) + LeastSaving <= elements * width;

    /// <summary>A bit for each element.</summary>
    public static long Bitmask(long elements) => CeilingOfEighth(elements);

    /// <summary>
    /// The Elias–Fano code of the nonzeros' places: each place is divided by 2^<see cref="LowBits"/>; the quotients are counted in unary
    /// digits, and the remainders follow bit by bit.
    /// </summary>
    public static long Positions(long elements, long nonzeros) =>
        UnaryBytes(elements, nonzeros) + (LowBits(elements, nonzeros) * CeilingOfEighth(nonzeros));

    /// <summary>⌊log₂(elements ÷ nonzeros)⌋, which makes the code shortest.</summary>
    public static int LowBits(long elements, long nonzeros) => nonzeros == 0 ? 0 : BitOperations.Log2((ulong)(elements / nonzeros));

    /// <summary>The bytes of the quotients in a code of positions.</summary>
    public static long UnaryBytes(long elements, long nonzeros) =>
        nonzeros == 0 ? 0 : CeilingOfEighth(nonzeros + ((elements - 1) >> LowBits(elements, nonzeros)));

    private static long Packed(long elements, long nonzeros, int width) =>
        (nonzeros * width) + Math.Min(Bitmask(elements), Positions(elements, nonzeros));

    private static long CeilingOfEighth(long bits) => (bits + 7) / 8;
}
