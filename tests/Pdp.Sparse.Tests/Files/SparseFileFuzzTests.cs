using System.Globalization;
using Pdp.Samples;
using Pdp.Samples.Tests;
using Pdp.Sparse.Files;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

/// <summary>
/// Files with flipped bits, and sound ones of lying parts. The number of files by the environment variable PDP_FUZZ_FILES; 300 by
/// default.
/// </summary>
public sealed class SparseFileFuzzTests : IDisposable
{
    private const long Allowed = 64 << 20;
    private static readonly long[] Lies = [0, 1, -1, 7, 49, 51, 1L << 20, 1L << 31, 1L << 40, 1L << 62, long.MaxValue];
    private static readonly int Count = int.Parse(
        Environment.GetEnvironmentVariable("PDP_FUZZ_FILES") ?? "300", CultureInfo.InvariantCulture);

    private readonly TemporaryFolder _folder = new();
    private readonly Bag _model = new(
        ("rare", Bag.Random([40, 50], ScalarType.Float32, 0.9, 1)),
        ("half", Bag.Random([41, 43], ScalarType.Float32, 0.5, 1)),
        ("pairs", tensor(Enumerable.Range(0, 800).Select(i => i % 4 < 2 ? i + 1f : 0).ToArray()).reshape(20, 40)),
        ("bias", ones(3)));

    private string Path => _folder.File("fuzzed.safetensors");

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_WhenAnyBitIsFlipped_IsRefused()
    {
        SparseFile.Save(_model, Path);
        var sound = File.ReadAllBytes(Path);
        var random = new Random(7);
        var before = Bag.Contents(_model);

        for (var file = 0; file < Count; file++)
        {
            var bit = random.Next(8 * sound.Length);
            sound[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(Path, sound);
            Assert.Throws<InvalidDataException>(() => SparseFile.Load(_model, Path));
            sound[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(before, Bag.Contents(_model));
    }

    [Fact]
    public void Load_OfLyingPartsWithTheirHash_SucceedsOrSaysWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        using var model = new Bag([.. _model.state_dict().Select(entry => (entry.Key, ones_like(entry.Value)))]);
        SparseFile.Save(_model, Path);
        var (sound, metadata) = (Safetensors.Load(Path), Safetensors.LoadMetadata(Path));
        var random = new Random(7);
        PeakMemory.Reset();
        var (memory, refused) = (PeakMemory.Read(), 0);

        for (var file = 0; file < Count; file++)
        {
            using var inner = NewDisposeScope();
            Save(Lying(sound, random), Lying(metadata, random));
            var before = Bag.Contents(model);
            var error = Record.Exception(() => SparseFile.Load(
                model, Path, new LoadOptions { AllowMissing = true, AllowUnexpected = true, AllowConversion = true }));
            Assert.True(error is null or InvalidDataException, $"File {file}: {error}");
            if (error is not null)
            {
                Assert.Equal(before, Bag.Contents(model));
                refused++;
            }
        }

        Assert.InRange(refused, Count / 4, Count - 1);
        var more = (PeakMemory.Read() - memory) ?? 0;
        Assert.True(more < Allowed, $"{more >> 20} MiB more than before.");
    }

    private static Dictionary<string, Tensor> Lying(Dictionary<string, Tensor> sound, Random random)
    {
        var parts = sound.ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        for (var i = 0; i <= random.Next(3); i++)
        {
            var name = parts.Keys.ElementAt(random.Next(parts.Count));
            var part = parts[name];
            switch (part.numel() == 0 ? 0 : random.Next(4))
            {
                case 0:
                    parts.Remove(name);
                    break;
                case 1:
                    parts[name] = part[..random.Next((int)part.shape[0])];
                    break;
                case 2 when part.dim() == 1:
                    parts[name] = cat([part, part[..random.Next((int)part.shape[0])]]);
                    break;
                case 3:
                    parts[parts.Keys.ElementAt(random.Next(parts.Count))] = part;
                    break;
                default:
                    part.bytes[random.Next(part.bytes.Length)] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }

        return parts;
    }

    // One in three has a signature with another word in it.
    private static Dictionary<string, string> Lying(IReadOnlyDictionary<string, string> sound, Random random)
    {
        var metadata = sound.ToDictionary();
        if (random.Next(3) == 0)
        {
            string[] signed = [.. sound.Keys.Where(name => !FileMetadata.IsOwn(name))];
            var name = signed[random.Next(signed.Length)];
            var words = metadata[name].Split(' ');
            words[random.Next(words.Length)] = Lies[random.Next(Lies.Length)].ToString(CultureInfo.InvariantCulture);
            metadata[name] = string.Join(' ', words);
        }

        return metadata;
    }

    private void Save(Dictionary<string, Tensor> parts, IReadOnlyDictionary<string, string> metadata)
    {
        var lying = metadata.Where(entry => entry.Key != "pdp.sha256").ToDictionary();
        lying["pdp.sha256"] = FileHash.Of(lying, parts);
        Safetensors.Save(Path, parts, lying);
    }
}
