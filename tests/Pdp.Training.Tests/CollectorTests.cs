using System.Runtime;

namespace Pdp.Training.Tests;

public sealed class CollectorTests
{
    /// <summary>Far longer than any machine takes: only a wait that never ends takes so long.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

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
        var (mode, hasJoined) = (GCLatencyMode.Interactive, false);
        var other = new Thread(() =>
        {
            isIn.Wait();
            Collector.Hold(() =>
            {
                isJoined.Set();
                isDone.Wait();
                mode = GCSettings.LatencyMode;
            });
        })
        { IsBackground = true };
        other.Start();

        Collector.Hold(() =>
        {
            isIn.Set();
            hasJoined = isJoined.Wait(Longest);
        });
        isDone.Set();
        other.Join();

        Assert.True(hasJoined, "The other thread had to wait for a region of its own.");
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
    }

    // A runtime that has tried and failed to reserve a budget can't allocate large objects any more.
    [Theory]
    [InlineData(0.6)]
    [InlineData(3)]
    [InlineData(double.PositiveInfinity)]
    public void Hold_WhenTheBudgetIsMoreThanThereIs_SaysSoAndLeavesTheRuntimeSound(double shareOfMemory)
    {
        var (budget, hasRun) = (shareOfMemory * GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, false);

        var error = Assert.Throws<InsufficientMemoryException>(
            () => Collector.Hold(() => hasRun = true, budget < long.MaxValue ? (long)budget : long.MaxValue));

        Assert.Contains("lower the budget", error.Message, StringComparison.Ordinal);
        Assert.False(hasRun);
        GC.KeepAlive(new byte[64 << 20]);
    }
}
