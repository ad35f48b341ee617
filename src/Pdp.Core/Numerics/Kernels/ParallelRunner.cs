using System.Runtime.InteropServices;

namespace Pdp.Numerics.Kernels;

/// <summary>Runs pieces of work on libtorch's threads, or on those of the thread pool, without allocating.</summary>
/// <remarks>Each worker takes the next piece when it is free, so that on a busy machine a late worker costs little.</remarks>
internal sealed unsafe class ParallelRunner
{
    private static readonly int MostWorkers = Environment.ProcessorCount;

    private readonly bool _usesOpenMp;
    private readonly Helper[] _helpers = new Helper[MostWorkers - 1];
    private IParallelWork? _work;
    // The upper half is the number of the run, the lower half the number of its pieces not taken yet. A piece is only ever taken for its
    // own run.
    private long _waiting;
    private int _run;
    private int _unfinished;
    private int _arrived;

    public ParallelRunner()
        : this(OpenMp.IsAvailable)
    {
    }

    /// <summary>Makes a runner for libtorch's threads, or for those of the pool.</summary>
    internal ParallelRunner(bool usesOpenMp)
    {
        _usesOpenMp = usesOpenMp;
        for (var i = 0; i < _helpers.Length; i++)
            _helpers[i] = new(this, i + 1);
    }

    /// <summary>The number of workers, including the caller, for a number of threads.</summary>
    public static int WorkersFor(int threads) => Math.Clamp(threads, 1, MostWorkers);

    /// <summary>Runs all pieces, from the last to the first, and returns when all are done.</summary>
    /// <remarks>
    /// The number of threads is either libtorch's or one. A helper that starts after its run is over finds nothing to do.
    /// </remarks>
    public void Run(IParallelWork work, int pieces, int threads)
    {
        _work = work;
        _run++;
        Volatile.Write(ref _unfinished, pieces);
        // Publishes the work: whoever takes a piece after this sees it.
        Volatile.Write(ref _waiting, Waiting(_run, pieces));
        if (threads == 1 || pieces <= 1)
            TakePieces(_run, worker: 0);
        else if (_usesOpenMp)
            RunOnOpenMp(threads);
        else
            RunOnPool(Math.Min(WorkersFor(threads), pieces) - 1);
    }

    private void RunOnOpenMp(int threads)
    {
        _arrived = 0;
        using var self = new GCHandle<ParallelRunner>(this);
        OpenMp.Run(&Join, GCHandle<ParallelRunner>.ToIntPtr(self), threads);
    }

    [UnmanagedCallersOnly]
    private static void Join(nint self)
    {
        var runner = GCHandle<ParallelRunner>.FromIntPtr(self).Target;
        var worker = Interlocked.Increment(ref runner._arrived) - 1;
        if (worker < MostWorkers)
            runner.TakePieces(runner._run, worker);
    }

    private void RunOnPool(int helpers)
    {
        for (var i = 0; i < helpers; i++)
            _helpers[i].Call(_run);

        TakePieces(_run, worker: 0);
        var wait = default(SpinWait);
        while (Volatile.Read(ref _unfinished) > 0)
            wait.SpinOnce(sleep1Threshold: -1);
    }

    private void TakePieces(int run, int worker)
    {
        var none = Waiting(run, 0);
        var waiting = Volatile.Read(ref _waiting);
        while (waiting > none && RunOf(waiting) == run)
        {
            var seen = Interlocked.CompareExchange(ref _waiting, waiting - 1, waiting);
            if (seen == waiting)
            {
                _work!.Run((int)(waiting - none) - 1, worker);
                Interlocked.Decrement(ref _unfinished);
                seen = Volatile.Read(ref _waiting);
            }

            waiting = seen;
        }
    }

    private static long Waiting(int run, int pieces) => ((long)run << 32) | (uint)pieces;

    private static int RunOf(long waiting) => (int)(waiting >> 32);

    /// <summary>A worker on a thread of the pool. It never runs on two threads at once, as its number selects scratch memory.</summary>
    private sealed class Helper(ParallelRunner runner, int worker) : IThreadPoolWorkItem
    {
        private int _isCalled;
        private int _run;

        public void Call(int run)
        {
            Volatile.Write(ref _run, run);
            if (Interlocked.Exchange(ref _isCalled, 1) == 0)
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        public void Execute()
        {
            runner.TakePieces(Volatile.Read(ref _run), worker);
            Volatile.Write(ref _isCalled, 0);
        }
    }
}
