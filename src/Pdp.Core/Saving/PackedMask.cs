using static TorchSharp.torch;

namespace Pdp.Saving;

/// <summary>A hard mask as text: a bit for each member, the first in the lowest, as hashed bytes.</summary>
internal static class PackedMask
{
    /// <summary>Packs a mask that is true for members that are kept.</summary>
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
        return HashedBytes.Encode(bits);
    }

    /// <summary>Reads a mask with a number of groups and members; null if the text is not such a mask, bit for bit.</summary>
    /// <returns><c>[groups, members]</c>, bool, on the CPU; the caller's.</returns>
    public static Tensor? Unpack(string text, long groups, long members)
    {
        var bits = HashedBytes.Decode(text, BytesOf(groups * members));
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

    private static long BytesOf(long members) => (members + 7) / 8;
}
