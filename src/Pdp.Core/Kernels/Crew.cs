namespace Pdp.Kernels;

/// <summary>Spreads pieces of work over threads of the pool, without allocating.</summary>
/// <remarks>
/// The caller takes pieces too, and waits only for those that a helper has begun: on a busy machine helpers that come late cost nothing.
/// </remarks>
internal sealed class Crew
{
    private readonly Helper[] _helpers = new Helper[Environment.ProcessorCount - 1];
    private IPieces? _work;
    private int _waiting;
    private int _unfinished;

    public Crew()
    {
        for (var i = 0; i < _helpers.Length; i++)
            _helpers[i] = new(this, i + 1);
    }

    /// <summary>The workers, the caller included, that there are for a number of threads.</summary>
    public int WorkersFor(int threads) => Math.Clamp(threads, 1, _helpers.Length + 1);

    /// <summary>Runs all pieces, the first one last; returns when all are done.</summary>
    public void Run(IPieces work, int pieces, int threads)
    {
        var helpers = Math.Min(WorkersFor(threads), pieces) - 1;
        _work = work;
        Volatile.Write(ref _unfinished, pieces);
        // Publishes the work: whoever claims a piece after this sees it.
        Volatile.Write(ref _waiting, pieces);
        for (var i = 0; i < helpers; i++)
            _helpers[i].Call();

        TakePieces(worker: 0);
        var wait = default(SpinWait);
        while (Volatile.Read(ref _unfinished) > 0)
            wait.SpinOnce(sleep1Threshold: -1);
    }

    private void TakePieces(int worker)
    {
        var waiting = Volatile.Read(ref _waiting);
        while (waiting > 0)
        {
            var seen = Interlocked.CompareExchange(ref _waiting, waiting - 1, waiting);
            if (seen == waiting)
            {
                _work!.Run(waiting - 1, worker);
                Interlocked.Decrement(ref _unfinished);
                seen = Volatile.Read(ref _waiting);
            }

            waiting = seen;
        }
    }

    /// <summary>A worker on a thread of the pool; never on two at once, as its number stands for scratch memory.</summary>
    private sealed class Helper(Crew crew, int worker) : IThreadPoolWorkItem
    {
        private int _isCalled;

        public void Call()
        {
            if (Interlocked.Exchange(ref _isCalled, 1) == 0)
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        public void Execute()
        {
            crew.TakePieces(worker);
            Volatile.Write(ref _isCalled, 0);
        }
    }
}
