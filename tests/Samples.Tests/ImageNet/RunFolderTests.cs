using Pdp.Samples.ImageNet;
using Pdp.Samples.ImageNet.Training;
using Pdp.Training;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Checkpoints_WhenThereIsNothingToGoOnWith_SaysWhereItLookedAndMakesNothing()
    {
        Checkpointed("pdp-resnet18");

        var error = Assert.Throws<ArgumentException>(
            () => RunFolder.Checkpoints(new Settings { Out = _folder.File("pdp-resnet81"), Resume = true }));

        Assert.Equal($"--resume found no checkpoints/step-*.safetensors in '{_folder.File("pdp-resnet81")}'; did you mean --out "
            + $"{_folder.File("pdp-resnet18")}? To start over, leave out --resume.", error.Message);
        Assert.False(Directory.Exists(_folder.File("pdp-resnet81")));
    }

    [Fact]
    public void Checkpoints_WhenThereIsARun_GoesOnWithItOnlyIfToldSo()
    {
        Checkpointed("run");
        var settings = new Settings { Out = _folder.File("run") };

        var error = Assert.Throws<ArgumentException>(() => RunFolder.Checkpoints(settings));

        Assert.Contains("already holds a run", error.Message, StringComparison.Ordinal);
        Assert.Single(RunFolder.Checkpoints(settings with { Resume = true })!.List());
        Assert.Empty(RunFolder.Checkpoints(settings with { Out = _folder.File("new") })!.List());
        Assert.Null(RunFolder.Checkpoints(new Settings()));
        Assert.Throws<ArgumentException>(() => RunFolder.Checkpoints(new Settings { Resume = true }));
    }

    [Fact]
    public void Checkpoints_WhereResultsAreWithoutCheckpoints_OverwritesNothing()
    {
        File.WriteAllText(_folder.File("metrics.csv"), "");

        var error = Assert.Throws<ArgumentException>(() => RunFolder.Checkpoints(new Settings { Out = _folder.Path }));

        Assert.Contains("already holds the results of another run", error.Message, StringComparison.Ordinal);
    }

    private void Checkpointed(string run) =>
        AtomicFile.WriteText(_folder.File($"{run}/checkpoints/step-0000000001.safetensors"), "weights");
}
