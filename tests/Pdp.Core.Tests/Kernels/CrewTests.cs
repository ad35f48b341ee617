using Pdp.Kernels;

namespace Pdp.Tests.Kernels;

public sealed class CrewTests
{
    /// <summary>libtorch's threads, where they can be had, and the pool's.</summary>
    public static TheoryData<bool> Teams { get; } = OpenMp.IsAvailable ? [true, false] : [false];

    [Theory]
    [MemberData(nameof(Teams))]
    public void Run_ManyTimesInARow_DoesEachPieceOnce(bool isTeam)
    {
        var crew = new Crew(isTeam);
        var counter = new Counter();

        for (var run = 0; run < 3000; run++)
        {
            var pieces = run % 41;
            Array.Clear(counter.Runs);
            crew.Run(counter, pieces, threads: 1 + (run % 3));

            Assert.All(counter.Runs[..pieces], runs => Assert.Equal(1, runs));
            Assert.All(counter.Runs[pieces..], runs => Assert.Equal(0, runs));
        }
    }

    [Fact]
    public void Run_WithOneThread_StaysOnTheCaller()
    {
        var counter = new Counter();

        new Crew().Run(counter, 40, threads: 1);

        Assert.Equal([Environment.CurrentManagedThreadId], counter.Threads.Distinct());
    }

    private sealed class Counter : IPieces
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
