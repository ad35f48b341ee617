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
    public void Train_WhenOver_IsOverAfterAResume()
    {
        using var whole = new TinyRun(Settings, _folder.Path);
        whole.Train();

        using var resumed = new TinyRun(
            Settings, _folder.Path, weights: 99, wrap: batches => new StoppingBatches(batches, 0, () => throw new TimeoutException()));
        resumed.Train();

        Assert.Equal(whole.State(), resumed.State());
    }

    private static IEnumerable<EpochMetrics> WithoutTimes(Progress run) =>
        run.History.Select(metrics => metrics with { Seconds = 0, PicturesPerSecond = 0 });
}
