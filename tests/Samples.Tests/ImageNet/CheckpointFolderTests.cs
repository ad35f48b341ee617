using Pdp.Samples.ImageNet.Training;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class CheckpointFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Keep_WhenThereAreMore_KeepsTheLastAndTheBest()
    {
        var folder = new CheckpointFolder(_folder.Path, keepLast: 2);

        foreach (var (step, isBest) in new[] { (2L, false), (9, true), (10, false), (100, false) })
        {
            folder.Keep(step, path => File.WriteAllText(path, $"{step}"), isBest);
        }

        Assert.Equal(["best.safetensors", "step-0000000010.safetensors", "step-0000000100.safetensors"], Names());
        Assert.Equal("9", File.ReadAllText(folder.Best));
        Assert.Equal("100", File.ReadAllText(folder.Latest!));
    }

    [Fact]
    public void Latest_WhenFolderIsNew_IsNone() => Assert.Null(new CheckpointFolder(_folder.File("new"), 1).Latest);

    [Fact]
    public void Keep_WhenItCannotBeWritten_LosesNothing()
    {
        var folder = new CheckpointFolder(_folder.Path, keepLast: 1);
        folder.Keep(1, path => File.WriteAllText(path, "good"), isBest: true);

        Assert.Throws<IOException>(() => folder.Keep(2, _ => throw new IOException("disk full"), isBest: true));

        Assert.Equal(["best.safetensors", "step-0000000001.safetensors"], Names());
    }

    [Fact]
    public void Constructor_WhenAKilledProcessLeftHalfAFile_RemovesIt()
    {
        File.WriteAllText(_folder.File("step-0000000002.safetensors.part"), "half");

        _ = new CheckpointFolder(_folder.Path, 1);

        Assert.Empty(Names());
    }

    private IEnumerable<string?> Names() => Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
