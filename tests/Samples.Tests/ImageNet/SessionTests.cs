using Pdp.Samples.ImageNet.Reporting;
using Pdp.Samples.ImageNet.Training;
using Pdp.Training;
using TorchSharp;
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

    // The first epoch's checkpoint must be there when the others fail, and both must have recovered at the end.
    [FullDeviceFact]
    public void Train_WhenBoardAndTableCannotBeWrittenForAWhile_SaysSoAndGoesOn()
    {
        using var whole = new TinyRun(TinyRun.Default);
        whole.Train();
        using var events = new FillingStream();
        using var board = new TensorBoardLog(new EventFile(events, 0));
        using var run = new TinyRun(
            TinyRun.Default with { CheckpointSteps = 0, LogSteps = 2, Out = _folder.Path }, _folder.File("checkpoints"));
        var session = run.Session with { Board = board };
        File.CreateSymbolicLink(_folder.File("metrics.csv.part"), FullDeviceFactAttribute.Path);
        events.IsFull = true;

        var next = session.EndEpoch(session.TrainEpoch(Progress.Start), run.Validation);

        var said = run.Lines.ToString();
        Assert.Contains("TensorBoard will lack some numbers, which could not be written: full", said, StringComparison.Ordinal);
        Assert.Contains(
            "metrics.csv could not be written; the next epoch's end writes it with all lines: No space left on device", said,
            StringComparison.Ordinal);
        Assert.True(File.Exists(run.Session.Folder!.BestPath));
        events.IsFull = false;
        while (next.Epoch < run.Settings.Epochs)
        {
            next = session.EndEpoch(session.TrainEpoch(next), run.Validation);
        }

        Assert.Equal(whole.State(), run.State());
        Assert.Equal(5, File.ReadLines(_folder.File("metrics.csv")).Count());
        Assert.Equal(
            [2, 3, 4],
            EventFileTests.Read(events.ToArray()).Where(entry => entry.Summary?.Value[0].Tag == "validation/top1").Select(
                entry => entry.Step / 6));
    }

    // The rank that writes the checkpoint is seldom the one that the signal came to.
    [FullDeviceFact]
    public void Train_WhenAnotherRankIsInterruptedAndTheDiskIsFull_EndsWithTheError()
    {
        using var run = new TinyRun(TinyRun.Default with { CheckpointSteps = 0 }, _folder.Path, ranks: new Signalled());
        File.CreateSymbolicLink(_folder.File("step-0000000001.safetensors.part"), FullDeviceFactAttribute.Path);

        var error = Assert.Throws<IOException>(() => run.Session.TrainEpoch(Progress.Start));

        Assert.Contains("No space left on device", error.Message, StringComparison.Ordinal);
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

    /// <summary>A disk that fills up within what is written.</summary>
    private sealed class FillingStream : MemoryStream
    {
        public bool IsFull { get; set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            base.Write(IsFull ? buffer[..(buffer.Length / 2)] : buffer);
            if (IsFull)
            {
                throw new IOException("full");
            }
        }
    }

    /// <summary>A rank beside one that has been told to stop.</summary>
    private sealed class Signalled : ICollective
    {
        public int Rank => 0;

        public int Size => 1;

        public void Sum(Tensor tensor)
        {
            using var one = 1.ToScalar();
            tensor.add_(one);
        }

        public void Broadcast(Tensor tensor, int root = 0)
        {
        }

        public void Barrier()
        {
        }
    }
}
