using System.Security.Cryptography;

namespace Pdp.Samples;

/// <summary>Hashes files.</summary>
internal static class FileHash
{
    /// <summary>The SHA-256 of a file, in hexadecimal digits; null for no file.</summary>
    public static string? Of(string? path)
    {
        if (path is null)
        {
            return null;
        }

        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
