using System.Runtime.InteropServices;

namespace Pdp.Numerics.Kernels;

/// <summary>Spreads pieces of work over libtorch's threads, or over those of the pool, without allocating.</summary>
/// <remarks>Workers take pieces as they come: on a busy machine one that comes late costs little.</remarks>
internal sealed unsafe class Crew
{
    private static readonly int MostWorkers = Environment.ProcessorCount;

    private readonly bool _isTeam;
    private readonly Helper[] _helpers = new Helper[MostWorkers - 1];
    private IPieces? _work;
    // The run's number in the upper half, its pieces that nobody has taken in the lower: a piece is taken from its own run or not at all.
    private long _waiting;
    private int _run;
    private int _unfinished;
    private int _arrived;

    public Crew()
        : this(OpenMp.IsAvailable)
    {
    }

    /// <summary>Makes a crew of libtorch's threads, or else of the pool's.</summary>
    internal Crew(bool isTeam)
    {
        _isTeam = isTeam;
        for (var i = 0; i < _helpers.Length; i++)
            _helpers[i] = new(this, i + 1);
    }

    /// <summary>The workers, the caller included, that there are for a number of threads.</summary>
    public static int WorkersFor(int threads) => Math.Clamp(threads, 1, MostWorkers);

    /// <summary>Runs all pieces, the first one last; returns when all are done.</summary>
    /// <remarks>
    /// The number of threads is libtorch's, or one. A helper of the pool that comes late, when its run is over, finds nothing to do.
    /// </remarks>
    public void Run(IPieces work, int pieces, int threads)
    {
        _work = work;
        _run++;
        Volatile.Write(ref _unfinished, pieces);
        // Publishes the work: whoever claims a piece after this sees it.
        Volatile.Write(ref _waiting, Waiting(_run, pieces));
        if (threads == 1 || pieces <= 1)
            TakePieces(_run, worker: 0);
        else if (_isTeam)
            RunOnTeam(threads);
        else
            RunOnPool(Math.Min(WorkersFor(threads), pieces) - 1);
    }

    private void RunOnTeam(int threads)
    {
        _arrived = 0;
        using var self = new GCHandle<Crew>(this);
        OpenMp.Run(&Join, GCHandle<Crew>.ToIntPtr(self), threads);
    }

    [UnmanagedCallersOnly]
    private static void Join(nint self)
    {
        var crew = GCHandle<Crew>.FromIntPtr(self).Target;
        var worker = Interlocked.Increment(ref crew._arrived) - 1;
        if (worker < MostWorkers)
            crew.TakePieces(crew._run, worker);
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

    /// <summary>A worker on a thread of the pool; never on two at once, as its number stands for scratch memory.</summary>
    private sealed class Helper(Crew crew, int worker) : IThreadPoolWorkItem
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
            crew.TakePieces(Volatile.Read(ref _run), worker);
            Volatile.Write(ref _isCalled, 0);
        }
    }
}
