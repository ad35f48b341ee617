using Pdp.Samples.Tests;

namespace Pdp.Training.Tests.Checkpoints;

/// <summary>
/// Damaged checkpoints: as they are, which the hash shows, and with a hash that fits them, so that what is behind it is reached.
/// </summary>
public sealed class CheckpointFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Scene _saved = new(1);
    private readonly Scene _other = new(2);

    private string Path => _folder.File("fuzzed.safetensors");

    public void Dispose()
    {
        _saved.Dispose();
        _other.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_OfDamagedBytes_AlwaysSaysSo()
    {
        var (sound, before) = (Sound(), _other.Bytes());

        Fuzz.Run(sound, 300, (bytes, file) =>
        {
            if (bytes.AsSpan().SequenceEqual(sound))
                return;

            File.WriteAllBytes(Path, bytes);
            var error = Record.Exception(() => _other.State.Load(Path));
            Assert.True(error is InvalidDataException, $"File {file}: {error}");
        });

        Assert.Equal(before, _other.Bytes());
    }

    [Fact]
    public void Load_WhereTheHashFits_ChangesAllOrNothing()
    {
        var (before, refused) = (_other.Bytes(), 0);

        var files = Fuzz.Run(Sound(), 300, (bytes, file) =>
        {
            File.WriteAllBytes(Path, Resealing.Resealed(bytes));
            var error = Record.Exception(() => _other.State.Load(Path));
            Assert.True(error is null or InvalidDataException, $"File {file}: {error}");
            var after = _other.Bytes();
            Assert.True(error is null || before == after, $"File {file} was loaded in part.");
            before = after;
            refused += error is null ? 0 : 1;
        });

        Assert.InRange(refused, 1, files - 1);
    }

    private byte[] Sound()
    {
        _saved.Train(0, 3);
        _saved.State.Save(Path, new Dictionary<string, string> { ["epoch"] = "3" });
        return File.ReadAllBytes(Path);
    }
}
