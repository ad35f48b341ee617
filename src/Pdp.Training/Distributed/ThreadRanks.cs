using System.Runtime.ExceptionServices;
using Pdp.Internal;
using Pdp.Training.Distributed;

namespace Pdp.Training;

/// <summary>Runs ranks as threads of this process, to try and test code for many processes without MPI.</summary>
/// <remarks>Sums are added up in the order of the ranks, so that runs with the same number of ranks give the same bits.</remarks>
public static class ThreadRanks
{
    /// <summary>Runs the work of all ranks and waits for them. If one throws, the next calls of the others throw, too.</summary>
    /// <param name="size">The number of ranks, at least 1.</param>
    /// <param name="work">The work of a rank, on a thread of its own.</param>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is less than 1.</exception>
    /// <remarks>What the first rank to fail throws is thrown here.</remarks>
    public static void Run(int size, Action<ICollective> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (size < 1)
        {
            throw Guard.Outside(nameof(size), size, "[1, ∞)");
        }

        var meeting = new Meeting(size);
        Thread[] threads =
        [
            .. Enumerable.Range(0, size).Select(rank => new Thread(() => Work(new ThreadCollective(rank, meeting), work))),
        ];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        if (meeting.Fault is { } fault)
        {
            ExceptionDispatchInfo.Throw(fault);
        }
    }

    private static void Work(ThreadCollective collective, Action<ICollective> work)
    {
        try
        {
            work(collective);
            collective.Leave(null);
        }
#pragma warning disable CA1031 // It is thrown on the caller's thread.
        catch (Exception e)
#pragma warning restore CA1031
        {
            collective.Leave(e);
        }
    }
}
