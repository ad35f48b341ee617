namespace Pdp.Sparse.Kernels;

/// <summary>A pool of jobs; each call takes one and returns it.</summary>
internal static class Jobs
{
    private static readonly Stack<Job> Waiting = new();

    /// <summary>Takes a job that no other call has.</summary>
    public static JobLease Take()
    {
        lock (Waiting)
        {
            if (Waiting.TryPop(out var job))
                return new(job);
        }

        return new(new Job());
    }

    /// <summary>Puts a job back.</summary>
    public static void Return(Job job)
    {
        lock (Waiting)
            Waiting.Push(job);
    }
}
