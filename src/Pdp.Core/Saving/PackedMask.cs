using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Pdp.Saving;

/// <summary>A hard mask as text: a bit for each member, the first in the lowest, then eight bytes of their SHA-256; in base64.</summary>
internal static class PackedMask
{
    private const int HashBytes = 8;

    /// <summary>Packs a mask, true where a member is kept.</summary>
    public static string Pack(Tensor kept)
    {
        var bits = new byte[BytesOf(kept.numel())];
        var position = 0L;
        TensorBytes.ForEachPiece(kept, piece =>
        {
            foreach (var value in piece)
            {
                bits[position / 8] |= (byte)(value == 0 ? 0 : 1 << (int)(position % 8));
                position++;
            }
        });
        return Convert.ToBase64String([.. bits, .. HashOf(bits)]);
    }

    /// <summary>Reads a mask of so many groups and members; null if the text is not one, bit for bit.</summary>
    /// <returns><c>[groups, members]</c>, bool, on the CPU; the caller's.</returns>
    public static Tensor? Unpack(string text, long groups, long members)
    {
        var bits = Decode(text, BytesOf(groups * members));
        if (bits is null)
            return null;

        var kept = zeros([groups, members], ScalarType.Bool, CPU);
        var position = 0L;
        TensorBytes.ForEachPiece(kept, piece =>
        {
            foreach (ref var value in piece)
            {
                value = (byte)((bits[position / 8] >> (int)(position % 8)) & 1);
                position++;
            }
        });
        return kept;
    }

    /// <summary>The bits, if there are so many bytes of them and their hash is right.</summary>
    private static byte[]? Decode(string text, long bytes)
    {
        var whole = new byte[(text.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(text, whole, out var written) || written != bytes + HashBytes)
            return null;

        var bits = whole.AsSpan(0, (int)bytes).ToArray();
        return whole.AsSpan((int)bytes, HashBytes).SequenceEqual(HashOf(bits)) ? bits : null;
    }

    private static long BytesOf(long members) => (members + 7) / 8;

    private static ReadOnlySpan<byte> HashOf(byte[] bits) => SHA256.HashData(bits).AsSpan(0, HashBytes);
}
