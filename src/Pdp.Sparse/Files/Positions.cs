using Pdp.Reporting;

namespace Pdp.Sparse.Files;

/// <summary>
/// The Elias–Fano code of the places p₀ &lt; p₁ &lt; … of the bits of a mask, with l = <see cref="StoredBytes.LowBits"/>: bit ⌊pᵢ ÷ 2ˡ⌋ + i
/// is set for each i; then, from the next whole byte on, l planes of bits, each of whole bytes: bit i of plane b is bit b of pᵢ.
/// </summary>
/// <remarks>
/// About half a bit more for each place than the theoretical minimum (P. Elias, "Efficient storage and retrieval by content and address of
/// static files", J. ACM 21(2), 1974). The length follows from the number of elements and places alone.
/// </remarks>
internal static class Positions
{
    /// <summary>Encodes a mask.</summary>
    /// <param name="mask">The bits, bit 0 of a byte first.</param>
    /// <param name="elements">The number of bits.</param>
    /// <param name="count">The number of bits that are set.</param>
    public static byte[] Encode(ReadOnlySpan<byte> mask, long elements, long count)
    {
        var code = new byte[StoredBytes.Positions(elements, count)];
        var low = StoredBytes.LowBits(elements, count);
        var planes = PlanesOf(code, elements, count);
        var plane = (int)((count + 7) / 8);
        var i = 0L;
        foreach (var place in new SetBits(mask))
        {
            Set(code, (place >> low) + i);
            for (var bit = 0; bit < low; bit++)
            {
                if (((place >> bit) & 1) != 0)
                    Set(planes[(bit * plane)..], i);
            }

            i++;
        }

        return code;
    }

    /// <summary>Decodes a mask and checks all of it.</summary>
    /// <exception cref="FormatException">The code is not one of this many places among this many elements.</exception>
    public static byte[] Decode(Span<byte> code, long elements, long count)
    {
        Require(code.Length == StoredBytes.Positions(elements, count));
        var low = StoredBytes.LowBits(elements, count);
        var planes = PlanesOf(code, elements, count);
        var plane = (int)((count + 7) / 8);
        var mask = new byte[(elements + 7) / 8];
        var (i, last) = (0L, -1L);
        foreach (var bit in new SetBits(code[..(code.Length - planes.Length)]))
        {
            Require(i < count);
            var place = ((bit - i) << low) | Remainder(planes, plane, low, i);
            Require(place > last && place < elements);
            Set(mask, place);
            (i, last) = (i + 1, place);
        }

        Require(i == count && ArePadded(planes, plane, count));
        return mask;
    }

    // The bits that no place has, at the end of each plane, are zero.
    private static bool ArePadded(ReadOnlySpan<byte> planes, int plane, long count)
    {
        for (var end = plane; count % 8 != 0 && end <= planes.Length; end += plane)
        {
            if (planes[end - 1] >> (int)(count % 8) != 0)
                return false;
        }

        return true;
    }

    private static Span<byte> PlanesOf(Span<byte> code, long elements, long count) =>
        code[(int)StoredBytes.UnaryBytes(elements, count)..];

    private static long Remainder(ReadOnlySpan<byte> planes, int plane, int low, long i)
    {
        var remainder = 0L;
        for (var bit = 0; bit < low; bit++)
            remainder |= (long)((planes[(bit * plane) + (int)(i >> 3)] >> (int)(i & 7)) & 1) << bit;
        return remainder;
    }

    private static void Set(Span<byte> bits, long place) => bits[(int)(place >> 3)] |= (byte)(1 << (int)(place & 7));

    private static void Require(bool condition)
    {
        if (!condition)
            throw new FormatException("has positions that don't match its values");
    }
}
