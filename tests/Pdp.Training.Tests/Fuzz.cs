using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Pdp.Samples;

namespace Pdp.Training.Tests;

/// <summary>
/// Safetensors files with flipped bits, cut short, with lying numbers or deep JSON. The number of files by the environment variable
/// PDP_FUZZ_FILES.
/// </summary>
internal static class Fuzz
{
    private const long Allowed = 64 << 20;
    private static readonly string[] Lies = ["4611686018427387904", "-1", "1e308", "2147483647", "0", "[[", "{\"a\":", "null", "\"F64\""];

    /// <summary>Runs an action on damaged copies of a file, and checks how much memory that takes at its peak.</summary>
    /// <returns>How many copies there were.</returns>
    public static int Run(byte[] sound, int files, Action<byte[], int> action)
    {
        var count = Environment.GetEnvironmentVariable("PDP_FUZZ_FILES") is { } given
            ? int.Parse(given, CultureInfo.InvariantCulture) : files;
        var random = new Random(7);
        PeakMemory.Reset();
        // Where the peak can't be reset, only what exceeds that of all earlier tests shows.
        var before = PeakMemory.Read();
        for (var file = 0; file < count; file++)
            action(Damage(sound, random, file), file);

        var more = (PeakMemory.Read() - before) ?? 0;
        Assert.True(more < Allowed, $"{more >> 20} MiB more than before.");
        return count;
    }

    private static byte[] Damage(byte[] sound, Random random, int file)
    {
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(sound);
        var bytes = (byte[])sound.Clone();
        switch (file % 5)
        {
            case 0:
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                return bytes[..random.Next(bytes.Length)];
            case 2:
                for (var i = 0; i < 4; i++)
                    bytes[8 + random.Next(length)] = (byte)random.Next(' ', 127);
                return bytes;
            case 3:
                random.NextBytes(bytes.AsSpan(0, 1 + random.Next(16)));
                return bytes;
            default:
                return Lying(sound, length, random);
        }
    }

    // A number or a word of the header is replaced, and the length of the header follows.
    private static byte[] Lying(byte[] sound, int length, Random random)
    {
        var header = Encoding.UTF8.GetString(sound, 8, length);
        var at = random.Next(header.Length - 4);
        header = header[..at] + Lies[random.Next(Lies.Length)] + header[(at + random.Next(4))..];
        if (random.Next(20) == 0)
            header = new string('[', 100_000) + header;
        var text = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + sound.Length - 8 - length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, text.Length);
        text.CopyTo(bytes, 8);
        sound.AsSpan(8 + length).CopyTo(bytes.AsSpan(8 + text.Length));
        return bytes;
    }
}
