namespace Pdp.Sparse.Kernels;

/// <summary>A pool of jobs; each call takes one and returns it.</summary>
internal sealed class Jobs
{
    private readonly Stack<Job> _waiting = new();
    /// <summary>The pool of all packed layers.</summary>
    public static Jobs Shared { get; } = new();

    /// <summary>How many there are whose calls take jobs.</summary>
    public int Users { get; private set; }

    /// <summary>Counts one more whose calls take jobs: a packed layer, or a trial.</summary>
    public void Open()
    {
        lock (_waiting)
            Users++;
    }

    /// <summary>Counts it no more. After the last one the collector may have the jobs, with their memory.</summary>
    public void Close()
    {
        lock (_waiting)
        {
            if (--Users == 0)
                _waiting.Clear();
        }
    }

    /// <summary>Takes a job that no other call has.</summary>
    public JobLease Take()
    {
        lock (_waiting)
        {
            if (_waiting.TryPop(out var job))
                return new(this, job);
        }

        return new(this, new Job());
    }

    /// <summary>Puts a job back.</summary>
    public void Return(Job job)
    {
        lock (_waiting)
            _waiting.Push(job);
    }
}
