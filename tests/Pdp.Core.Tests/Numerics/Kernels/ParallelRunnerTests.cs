using System.Collections.Concurrent;
using Pdp.Numerics.Kernels;

namespace Pdp.Tests.Numerics.Kernels;

public sealed class ParallelRunnerTests
{
    private const int Repetitions = 3000;

    /// <summary>libtorch's threads, where they can be had, and the pool's.</summary>
    public static TheoryData<bool> Teams { get; } = OpenMp.IsAvailable ? [true, false] : [false];

    [Theory]
    [MemberData(nameof(Teams))]
    public void Run_ManyTimesInARow_DoesEachPieceOnce(bool usesOpenMp)
    {
        var runner = new ParallelRunner(usesOpenMp);
        var counter = new Counter();

        for (var run = 0; run < Repetitions; run++)
        {
            var pieces = run % 41;
            Array.Clear(counter.Runs);
            // OpenMP makes its threads anew whenever their number changes.
            runner.Run(counter, pieces, threads: 1 + (run / (Repetitions / 3)));

            Assert.All(counter.Runs[..pieces], runs => Assert.Equal(1, runs));
            Assert.All(counter.Runs[pieces..], runs => Assert.Equal(0, runs));
        }
    }

    [Fact]
    public void Run_WithOneThread_StaysOnTheCaller()
    {
        var counter = new Counter();

        new ParallelRunner().Run(counter, 40, threads: 1);

        Assert.Equal([Environment.CurrentManagedThreadId], counter.Threads.Distinct());
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(2, 1)]
    [InlineData(2, 8)]
    public void Run_BehindOneThatFoundThePoolBusy_ReturnsWithAllItsPiecesDone(int threads, int pieces)
    {
        var runner = new ParallelRunner(usesOpenMp: false);
        // Not disposed of, as a thread of the pool may only come to its wait after the test.
        var release = new ManualResetEventSlim();
        ThreadPool.GetMinThreads(out var blockers, out _);
        for (var i = 0; i < Math.Max(blockers, ThreadPool.ThreadCount); i++)
            ThreadPool.QueueUserWorkItem(_ => release.Wait());

        runner.Run(new Counter(), 8, threads: 2);
        var late = new LateHelper(release);
        runner.Run(late, pieces, threads);

        Assert.Equal(pieces, late.Done);
        Assert.All(late.Workers, worker => Assert.InRange(worker, 0, threads - 1));
    }

    /// <summary>
    /// Its first piece lets the pool's threads go, and waits until the helper that was called in the last run has had its turn.
    /// </summary>
    private sealed class LateHelper(ManualResetEventSlim release) : IParallelWork
    {
        private int _done;

        public int Done => Volatile.Read(ref _done);

        public ConcurrentBag<int> Workers { get; } = [];

        public void Run(int piece, int worker)
        {
            Workers.Add(worker);
            if (!release.IsSet)
            {
                using var behind = new ManualResetEventSlim();
                ThreadPool.UnsafeQueueUserWorkItem(_ => behind.Set(), null);
                release.Set();
                behind.Wait();
            }

            // Long enough to be in work when the caller has done its own pieces.
            Thread.Sleep(2);
            Interlocked.Increment(ref _done);
        }
    }

    private sealed class Counter : IParallelWork
    {
        public int[] Runs { get; } = new int[41];

        public int[] Threads { get; } = new int[40];

        public void Run(int piece, int worker)
        {
            Interlocked.Increment(ref Runs[piece]);
            // Long enough for helpers to come.
            Thread.SpinWait(piece * 10);
            Threads[Math.Min(piece, 39)] = Environment.CurrentManagedThreadId;
        }
    }
}
