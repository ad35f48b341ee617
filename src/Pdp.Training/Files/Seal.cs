using System.Security.Cryptography;
using System.Text;

namespace Pdp.Training.Files;

/// <summary>
/// The SHA-256 of a safetensors file, as the first text in its header. It covers all bytes of the file, with zeros instead of its own
/// digits.
/// </summary>
internal static class Seal
{
    /// <summary>The name of the text.</summary>
    public const string Name = "sha256";

    private const int Digits = 2 * SHA256.HashSizeInBytes;
    private const int LengthBytes = 8;

    /// <summary>The digits before they are known.</summary>
    public static readonly string Blank = new('0', Digits);

    private static ReadOnlySpan<byte> Beginning => "{\"__metadata__\":{\"sha256\":\""u8;

    private static int Position => LengthBytes + Beginning.Length;

    /// <summary>Writes the digits of a file whose header begins with blank ones.</summary>
    public static void Write(Stream file)
    {
        var digits = Encoding.ASCII.GetBytes(Compute(file));
        file.Position = Position;
        file.Write(digits);
    }

    /// <summary>Says what is wrong with a file; null if it is as it was written.</summary>
    /// <exception cref="FileNotFoundException">There is no file.</exception>
    public static string? Fault(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> start = stackalloc byte[Position + Digits];
        if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length
            || !start[LengthBytes..Position].SequenceEqual(Beginning))
        {
            return "has no SHA-256 at the start of its header; it is truncated, damaged or not a checkpoint";
        }

        return Encoding.ASCII.GetString(start[Position..]) == Compute(file)
            ? null
            : "is damaged: its contents don't match the SHA-256 in its header";
    }

    private static string Compute(Stream file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        file.Position = 0;
        file.ReadExactly(buffer, 0, Position + Digits);
        buffer.AsSpan(Position, Digits).Fill((byte)'0');
        hash.AppendData(buffer, 0, Position + Digits);
        for (int read; (read = file.Read(buffer)) > 0;)
        {
            hash.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
