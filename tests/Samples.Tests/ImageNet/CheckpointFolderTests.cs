using Pdp.Samples.ImageNet;
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

    [Fact]
    public void Of_WhenThereIsNothingToGoOnWith_SaysWhereItLookedAndMakesNothing()
    {
        Checkpointed("pdp-resnet18");

        var error = Assert.Throws<ArgumentException>(() => CheckpointFolder.Of(new Settings { Out = _folder.File("pdp-resnet81"), Resume = true }));

        Assert.Equal($"--resume found no checkpoints/step-*.safetensors in '{_folder.File("pdp-resnet81")}'; did you mean --out {_folder.File("pdp-resnet18")}? To start over, leave out --resume.", error.Message);
        Assert.False(Directory.Exists(_folder.File("pdp-resnet81")));
    }

    [Fact]
    public void Of_WhenThereIsARun_GoesOnWithItOnlyIfToldSo()
    {
        Checkpointed("run");
        var settings = new Settings { Out = _folder.File("run") };

        var error = Assert.Throws<ArgumentException>(() => CheckpointFolder.Of(settings));

        Assert.Contains("already holds a run", error.Message, StringComparison.Ordinal);
        Assert.NotNull(CheckpointFolder.Of(settings with { Resume = true })!.Latest);
        Assert.Null(CheckpointFolder.Of(settings with { Out = _folder.File("new") })!.Latest);
        Assert.Null(CheckpointFolder.Of(new Settings()));
        Assert.Throws<ArgumentException>(() => CheckpointFolder.Of(new Settings { Resume = true }));
    }

    private void Checkpointed(string run) =>
        new CheckpointFolder(_folder.File($"{run}/checkpoints"), 1).Keep(1, path => File.WriteAllText(path, "weights"), isBest: false);

    private IEnumerable<string?> Names() => Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
