using Pdp.Samples.ImageNet;
using Pdp.Samples.ImageNet.Reporting;
using Pdp.Samples.ImageNet.Training;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class ResumeTests : IDisposable
{
    private static readonly Settings Settings = TinyRun.Default;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Train_WhenKilledTenTimesAtRandom_EndsWithTheSameBits()
    {
        using var whole = new TinyRun(Settings);
        var expected = whole.Train();
        var random = new Random(3);

        for (var kill = 0; kill < 10; kill++)
        {
            using var killed = new TinyRun(
                Settings, _folder.Path, 0, batches => new StoppingBatches(batches, random.Next(12), () => throw new TimeoutException()));
            Assert.Throws<TimeoutException>(() => killed.Train());
        }

        using var resumed = new TinyRun(Settings, _folder.Path, weights: 99);
        var run = resumed.Train();

        Assert.Equal(whole.State(), resumed.State());
        Assert.Equal(WithoutTimes(expected), WithoutTimes(run));
    }

    // 12 batches of 4 pictures an epoch are 6 steps: in the first of an epoch, in the middle, in the last, in a later epoch.
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(11)]
    [InlineData(30)]
    public void Train_WhenInterrupted_KeepsThatStepAndEndsWithTheSameBits(int batch)
    {
        using var whole = new TinyRun(Settings);
        var expected = whole.Train();
        using var source = new CancellationTokenSource();

        using var interrupted = new TinyRun(Settings with { CheckpointSteps = 0 }, _folder.Path, 0, batches =>
            new StoppingBatches(batches, batch, source.Cancel), ranks: null, source.Token);
        Assert.Throws<OperationCanceledException>(() => interrupted.Train());
        using var resumed = new TinyRun(Settings, _folder.Path, weights: 99);
        var from = resumed.Session.Start();
        var run = resumed.Train();

        Assert.Equal((batch / 2) + 1, (from.Epoch * 6) + from.Step);
        Assert.Equal(whole.State(), resumed.State());
        Assert.Equal(WithoutTimes(expected), WithoutTimes(run));
    }

    [Fact]
    public void Train_WhenKilledBeforeItsFirstCheckpoint_CanStartOver()
    {
        var settings = Settings with { Out = _folder.Path, CheckpointSteps = 0 };
        using (var killed = new TinyRun(
            settings, _folder.File("checkpoints"), 0, batches => new StoppingBatches(batches, 5, () => throw new TimeoutException())))
        {
            Assert.Throws<TimeoutException>(() => killed.Train());
        }

        Assert.Empty(RunFolder.Checkpoints(settings)!.List());
        using var again = new TinyRun(settings, _folder.File("checkpoints"));
        again.Train();
        Assert.Equal([EpochMetrics.Header[..5], "1", "2", "3", "4"], Epochs());
    }

    // Checkpoints that are kept less often, or couldn't be written, leave a table that is ahead of them; a kill, one that is behind.
    [Theory]
    [InlineData(3)]
    [InlineData(9)]
    public void Start_OfARunThatGoesOn_HasTheTableOfItsCheckpoint(int lines)
    {
        var settings = Settings with { Out = _folder.Path, CheckpointSteps = 0 };
        using var killed = new TinyRun(
            settings, _folder.File("checkpoints"), 0, batches => new StoppingBatches(batches, 40, () => throw new TimeoutException()));
        Assert.Throws<TimeoutException>(() => killed.Train());
        File.WriteAllLines(_folder.File("metrics.csv"), Enumerable.Repeat("stale", lines));

        using var resumed = new TinyRun(settings, _folder.File("checkpoints"), weights: 99);
        var from = resumed.Session.Start();

        Assert.Equal(3, from.Epoch);
        Assert.Equal([EpochMetrics.Header[..5], "1", "2", "3"], Epochs());
    }

    [Fact]
    public void Train_WhenOver_IsOverAfterAResume()
    {
        using var whole = new TinyRun(Settings, _folder.Path);
        whole.Train();

        using var resumed = new TinyRun(
            Settings, _folder.Path, weights: 99, wrap: batches => new StoppingBatches(batches, 0, () => throw new TimeoutException()));
        resumed.Train();

        Assert.Equal(whole.State(), resumed.State());
    }

    private string[] Epochs() => [.. File.ReadLines(_folder.File("metrics.csv")).Select(line => line.Split(',')[0])];

    private static IEnumerable<EpochMetrics> WithoutTimes(Progress run) =>
        run.History.Select(metrics => metrics with { Seconds = 0, PicturesPerSecond = 0 });
}
