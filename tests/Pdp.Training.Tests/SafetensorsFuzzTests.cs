using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Pdp.Samples.Tests;
using static TorchSharp.torch;

namespace Pdp.Training.Tests;

/// <summary>
/// Files with flipped bits, cut short, with lying numbers or deep JSON. The number of files by the environment variable PDP_FUZZ_FILES;
/// 1,000 by default.
/// </summary>
public sealed class SafetensorsFuzzTests
{
    private const long Allowed = 64 << 20;
    private static readonly string[] Lies = ["4611686018427387904", "-1", "1e308", "2147483647", "0", "[[", "{\"a\":", "null", "\"F64\""];

    [Fact]
    public void Load_OfAnyBytes_SucceedsOrSaysWhatIsWrong()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("PDP_FUZZ_FILES") ?? "1000", CultureInfo.InvariantCulture);
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var model = nn.Linear(4, 3);
        var path = folder.File("fuzzed.safetensors");
        Safetensors.Save(path, model.state_dict(), new Dictionary<string, string> { ["note"] = "text" });
        var sound = File.ReadAllBytes(path);
        var random = new Random(7);
        var before = Environment.WorkingSet;

        for (var file = 0; file < count; file++)
        {
            File.WriteAllBytes(path, Damage(sound, random, file));
            var error = Record.Exception(() => Safetensors.LoadInto(model, path));
            Assert.True(error is null or InvalidDataException, $"File {file}: {error}");
        }

        Assert.True(Environment.WorkingSet - before < Allowed, $"{(Environment.WorkingSet - before) >> 20} MiB more than before.");
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
