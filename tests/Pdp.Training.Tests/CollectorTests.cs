using System.Runtime;

namespace Pdp.Training.Tests;

public sealed class CollectorTests
{
    [Fact]
    public void Hold_WhileTheActionRuns_LetsNoCollectionRun()
    {
        var collections = -1;

        Collector.Hold(() =>
        {
            Assert.Equal(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
            var before = GC.CollectionCount(0);
            for (var i = 0; i < 100; i++)
                GC.KeepAlive(new byte[100_000]);
            collections = GC.CollectionCount(0) - before;
        });

        Assert.Equal(0, collections);
        Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
    }

    [Fact]
    public void Hold_WhenTheActionThrows_EndsTheRegion()
    {
        Assert.Throws<FormatException>(() => Collector.Hold(() => throw new FormatException()));

        Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
    }

    [Fact]
    public void Hold_WithinAnother_LeavesTheRegionToTheOuterOne()
    {
        Collector.Hold(() =>
        {
            Collector.Hold(() => { });
            Assert.Equal(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
        });

        Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
    }

    [Fact]
    public void Hold_WhenTheThreadThatStartedItIsDone_LastsForTheOther()
    {
        using ManualResetEventSlim isIn = new(), isJoined = new(), isDone = new();
        var mode = GCLatencyMode.Interactive;
        var other = new Thread(() =>
        {
            isIn.Wait();
            Collector.Hold(() =>
            {
                isJoined.Set();
                isDone.Wait();
                mode = GCSettings.LatencyMode;
            });
        });
        other.Start();

        Collector.Hold(() =>
        {
            isIn.Set();
            isJoined.Wait();
        });
        isDone.Set();
        other.Join();

        Assert.Equal(GCLatencyMode.NoGCRegion, mode);
        Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
    }

    [Fact]
    public void Hold_WhenMoreThanTheBudgetIsAllocated_StillEnds()
    {
        Collector.Hold(
            () =>
            {
                for (var i = 0; i < 200; i++)
                    GC.KeepAlive(new byte[1 << 20]);
            },
            budget: 1 << 20);

        Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
    }

    [Fact]
    public void Hold_WhenArgumentsAreWrong_SaysSo()
    {
        Assert.Throws<ArgumentNullException>(() => Collector.Hold(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => Collector.Hold(() => { }, 0));
        Assert.ThrowsAny<SystemException>(() => Collector.Hold(() => { }, long.MaxValue));
    }
}
