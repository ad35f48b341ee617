using System.Numerics;

namespace Pdp.Sparse.Files;

/// <summary>
/// The code of a mask that keeps two of every four elements: the places of the two within the four, two bits each, the first in the lower
/// bits; the code of the first four elements is in the lower half of a byte, that of the next four in the upper half.
/// </summary>
internal static class TwoOfFour
{
    private const int None = -1;

    // The code of each pattern of four bits, and the reverse.
    private static readonly int[] Codes = [.. Enumerable.Range(0, 16).Select(CodeOf)];
    private static readonly int[] Patterns = [.. Enumerable.Range(0, 16).Select(code => Array.IndexOf(Codes, code))];

    /// <summary>Encodes a mask; null if it doesn't keep two of every four elements.</summary>
    /// <param name="mask">The bits, bit 0 of a byte first.</param>
    /// <param name="elements">Their number, divisible by four.</param>
    public static byte[]? Encode(ReadOnlySpan<byte> mask, long elements) => Translate(mask, elements, Codes);

    /// <summary>Decodes a mask.</summary>
    /// <exception cref="FormatException">The code is of another length, or names a place twice.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> code, long elements) =>
        (elements % 4 == 0 && code.Length == (elements + 7) / 8 ? Translate(code, elements, Patterns) : null)
            ?? throw new FormatException("has indices that are not two of every four");

    private static int CodeOf(int pattern)
    {
        var (first, last) = (BitOperations.TrailingZeroCount(pattern), BitOperations.Log2((uint)pattern));
        return BitOperations.PopCount((uint)pattern) == 2 ? first | (last << 2) : None;
    }

    private static byte[]? Translate(ReadOnlySpan<byte> bytes, long elements, int[] table)
    {
        var translated = new byte[bytes.Length];
        for (var group = 0L; group < elements / 4; group++)
        {
            var (at, shift) = ((int)(group / 2), (int)(group % 2 * 4));
            var value = table[(bytes[at] >> shift) & 15];
            if (value == None)
                return null;
            translated[at] |= (byte)(value << shift);
        }

        return translated;
    }
}
