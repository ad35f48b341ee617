using Pdp.Samples.ImageNet.Training;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class SessionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // A file that is a link to /dev/full takes no byte, as a disk that is full does. Steps 12 and 18 end epochs.
    [FullDeviceFact]
    public void Train_WhenTheDiskIsFullForAWhile_GoesOnAndLosesNothing()
    {
        using var whole = new TinyRun(TinyRun.Default);
        whole.Train();
        using var run = new TinyRun(TinyRun.Default with { CheckpointSteps = 0 }, _folder.Path);
        var first = run.Session.EndEpoch(run.Session.TrainEpoch(Progress.Start), run.Validation);
        File.CreateSymbolicLink(_folder.File("step-0000000012.safetensors.part"), FullDeviceFactAttribute.Path);

        var second = run.Session.TrainEpoch(first);

        Assert.Equal(["best.safetensors", "step-0000000006.safetensors"], Directory.GetFiles(_folder.Path)
            .Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains(
            "No checkpoint could be written; the existing ones stay: No space left on device",
            run.Lines.ToString(),
            StringComparison.Ordinal);
        for (second = run.Session.EndEpoch(second, run.Validation); second.Epoch < run.Settings.Epochs;)
        {
            second = run.Session.EndEpoch(run.Session.TrainEpoch(second), run.Validation);
        }

        Assert.Equal(whole.State(), run.State());
        Assert.True(File.Exists(_folder.File("step-0000000024.safetensors")));
    }

    // An epoch has six steps: those of 3.5 to 4 are the 22nd to the 24th.
    [Fact]
    public void Train_WithACommitWithinItsLastEpoch_TrainsOnAfterIt()
    {
        using var run = new TinyRun(TinyRun.Default with { CommitAt = 3.5, CheckpointSteps = 1, KeepLast = 9 }, _folder.Path);

        run.Train();

        using var scope = NewDisposeScope();
        int[] steps = [21, 22, 24];
        Assert.Contains("whole model", run.Lines.ToString(), StringComparison.Ordinal);
        Assert.Equal([false, true, true], steps.Select(
            step => PrunerState.FromJson(TrainingState.LoadTexts(PathOf(step))["pruner"]).IsCommitted));
        var (committed, last) = (Safetensors.Load(PathOf(22)), Safetensors.Load(PathOf(24)));
        Assert.All(run.Learner.Model.named_parameters(), entry => Assert.NotEqual(
            committed[$"model.{entry.name}"].bytes.ToArray(), last[$"model.{entry.name}"].bytes.ToArray()));
    }

    [Fact]
    public void Train_WhenLossIsNotFinite_SaysSoAndKeepsTheLastGoodCheckpoint()
    {
        using var run = new TinyRun(
            TinyRun.Default with { Method = "dense", Lr = 1e30, LrWarmup = 0, CheckpointSteps = 1, KeepLast = 9 }, _folder.Path);

        var error = Assert.Throws<InvalidDataException>(() => run.Train());

        Assert.Contains("The loss is not finite in epoch 1", error.Message, StringComparison.Ordinal);
        var kept = Directory.GetFiles(_folder.Path, "step-*.safetensors");
        Assert.NotEmpty(kept);
        Assert.All(kept, path => Assert.True(Checkpoint.Is(path)));
    }

    [Fact]
    public void Train_WhenInterruptedWhileMeasuring_HasTheEpochsCheckpoint()
    {
        using var source = new CancellationTokenSource();
        using var run = new TinyRun(TinyRun.Default, _folder.Path, stop: source.Token);
        var trained = run.Session.TrainEpoch(Progress.Start);

        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => run.Session.EndEpoch(trained, run.Validation));
        using var resumed = new TinyRun(TinyRun.Default, _folder.Path, weights: 9);

        Assert.Equal((0, 6), (resumed.Session.Start().Epoch, resumed.Session.Start().Step));
    }

    [Fact]
    public void Train_WhenOver_HasMeasuredEachEpochAndKeptTheBest()
    {
        using var run = new TinyRun(TinyRun.Default, _folder.Path);

        var over = run.Train();

        var best = over.History.Aggregate((best, next) => next.IsBetterThan(best) ? next : best);
        using var resumed = new TinyRun(TinyRun.Default, _folder.Path, weights: 9);
        Assert.Equal([1, 2, 3, 4], over.History.Select(metrics => metrics.Epoch));
        Assert.Equal(best.Epoch, Checkpoint.Load(run.Session.Folder!.BestPath, resumed.Learner, run.Settings).Epoch);
        Assert.Equal(0.5, over.History[^1].Sparsity, 0.01);
    }

    private string PathOf(int step) => _folder.File($"step-{step:D10}.safetensors");
}
