using Pdp.Samples.ImageNet;
using Pdp.Samples.ImageNet.Training;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TinyRun _run = new(TinyRun.Default);

    private string Path => _folder.File("step.safetensors");

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_WhenSaved_GivesTheSameProgress()
    {
        var trained = _run.Train() with { Step = 3, LossSum = 1 / 3.0, Seconds = 0.1 };
        Checkpoint.Save(Path, _run.Learner, trained, _run.Settings);

        var loaded = Checkpoint.Load(Path, _run.Learner, _run.Settings);

        Assert.Equal(trained with { History = loaded.History }, loaded);
        Assert.Equal(trained.History, loaded.History);
        Assert.Equal(4, loaded.History.Count);
    }

    [Theory]
    [InlineData("--seed was 0, is 5", "--seed", "5")]
    [InlineData("--epsilon was not set, is 0.5", "--epsilon", "0.5")]
    [InlineData("--model was resnet18, is resnet50", "--model", "resnet50")]
    [InlineData("--strategy was unstructured, is 2:4", "--strategy", "2:4")]
    public void Load_WhenSettingsDiffer_NamesThemAndChangesNothing(string expected, params string[] arguments)
    {
        Checkpoint.Save(Path, _run.Learner, Progress.Start, _run.Settings);
        var other = CommandLine.Parse<Settings>(arguments, CommandLine.Echo(_run.Settings).Split(' '));
        using var another = new TinyRun(TinyRun.Default, weights: 1);
        var before = another.State();

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, another.Learner, other));

        Assert.Contains($"made with other settings: {expected}. Give", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, another.State());
    }

    [Fact]
    public void Load_WhenNetworkIsAnother_NamesWhatDoesNotFit()
    {
        Checkpoint.Save(Path, _run.Learner, Progress.Start, _run.Settings);
        using var another = new TinyRun(_run.Settings with { Classes = 7 });

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, another.Learner, _run.Settings));

        Assert.Contains("'fc.weight' is Float32 [4, 8] where the model has Float32 [7, 8]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenFileHoldsWeightsAlone_SaysSo()
    {
        Safetensors.Save(Path, _run.Learner.Model.state_dict());

        Assert.False(Checkpoint.Is(Path));
        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, _run.Learner, _run.Settings));

        Assert.Contains("it is no checkpoint", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenFileIsCutShort_SaysSo()
    {
        Checkpoint.Save(Path, _run.Learner, Progress.Start, _run.Settings);
        File.WriteAllBytes(Path, File.ReadAllBytes(Path)[..^100]);

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, _run.Learner, _run.Settings));

        Assert.Contains($"'{Path}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
    }
}
