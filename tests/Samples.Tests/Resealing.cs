using System.Security.Cryptography;
using System.Text;

namespace Pdp.Samples.Tests;

/// <summary>
/// The SHA-256 of a checkpoint, computed apart from the library: over all bytes, with zeros in the place of its own digits.
/// </summary>
internal static class Resealing
{
    private const int Digits = 64;

    /// <summary>Writes it into the header of a changed file.</summary>
    public static void Reseal(string path) => File.WriteAllBytes(path, Resealed(File.ReadAllBytes(path)));

    /// <summary>The bytes with it; as they are where there is no place for it.</summary>
    public static byte[] Resealed(byte[] bytes)
    {
        var name = "\"sha256\":\""u8;
        var at = bytes.AsSpan().IndexOf(name) + name.Length;
        if (at < name.Length || at + Digits > bytes.Length)
            return bytes;

        bytes.AsSpan(at, Digits).Fill((byte)'0');
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(bytes))).CopyTo(bytes, at);
        return bytes;
    }
}
