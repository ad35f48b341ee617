using System.Security.Cryptography;

namespace Pdp.Saving;

/// <summary>Bytes as text that tells if it was damaged: the bytes, then eight of their SHA-256; in base64.</summary>
internal static class HashedBytes
{
    private const int HashBytes = 8;

    public static string Encode(byte[] bytes) => Convert.ToBase64String([.. bytes, .. HashOf(bytes)]);

    /// <summary>The bytes, if there are so many of them and their hash is right; else null.</summary>
    public static byte[]? Decode(string text, long count)
    {
        var whole = new byte[(text.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(text, whole, out var written) || written != count + HashBytes)
            return null;

        var bytes = whole.AsSpan(0, (int)count).ToArray();
        return whole.AsSpan((int)count, HashBytes).SequenceEqual(HashOf(bytes)) ? bytes : null;
    }

    private static ReadOnlySpan<byte> HashOf(byte[] bytes) => SHA256.HashData(bytes).AsSpan(0, HashBytes);
}
