using System.Numerics;
using System.Runtime.InteropServices;

namespace Pdp.Sparse.Files;

/// <summary>
/// A bit for each element, set where any bit of the element is: −0 and NaN count as values. Bit 0 of a byte comes first.
/// </summary>
internal static class Bitmask
{
    /// <summary>The mask of elements.</summary>
    /// <param name="elements">Their bytes.</param>
    /// <param name="width">The bytes of an element: 1, 2, 4 or 8.</param>
    public static byte[] Of(ReadOnlySpan<byte> elements, int width) => width switch
    {
        1 => Of(elements),
        2 => Of(MemoryMarshal.Cast<byte, ushort>(elements)),
        4 => Of(MemoryMarshal.Cast<byte, uint>(elements)),
        _ => Of(MemoryMarshal.Cast<byte, ulong>(elements)),
    };

    /// <summary>The number of bits that are set.</summary>
    public static long Count(ReadOnlySpan<byte> mask)
    {
        var count = 0L;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(mask))
            count += BitOperations.PopCount(word);
        foreach (var last in mask[(mask.Length / 8 * 8)..])
            count += BitOperations.PopCount(last);
        return count;
    }

    /// <summary>Copies the elements whose bits are set, one after another.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="elements">The bytes of all elements.</param>
    /// <param name="width">The bytes of an element.</param>
    /// <param name="packed">As many elements as there are bits.</param>
    public static void Gather(ReadOnlySpan<byte> mask, ReadOnlySpan<byte> elements, int width, Span<byte> packed)
    {
        var next = 0;
        foreach (var place in new SetBits(mask))
        {
            elements.Slice((int)place * width, width).CopyTo(packed[next..]);
            next += width;
        }
    }

    /// <summary>The reverse of <see cref="Gather"/>; the other elements become zero.</summary>
    public static void Scatter(ReadOnlySpan<byte> mask, ReadOnlySpan<byte> packed, int width, Span<byte> elements)
    {
        elements.Clear();
        var next = 0;
        foreach (var place in new SetBits(mask))
        {
            packed.Slice(next, width).CopyTo(elements[((int)place * width)..]);
            next += width;
        }
    }

    private static byte[] Of<T>(ReadOnlySpan<T> elements)
        where T : unmanaged, IBinaryInteger<T>
    {
        var mask = new byte[(elements.Length + 7) / 8];
        for (var i = 0; i < elements.Length; i++)
            mask[i >> 3] |= (byte)((T.IsZero(elements[i]) ? 0 : 1) << (i & 7));
        return mask;
    }
}
