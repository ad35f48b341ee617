using static TorchSharp.torch;

namespace Pdp.Training.Ranks;

/// <summary>What programs do that they should not.</summary>
public static class Misuse
{
    /// <summary>Calls the others when the work is over, and then starts again.</summary>
    public static int Again(Action<ICollective, string> say)
    {
        ArgumentNullException.ThrowIfNull(say);
        ICollective? kept = null;
        MpiRanks.Run(collective =>
        {
            kept = collective;
            return 0;
        });
        say(kept!, $"after={ErrorOf(kept!.Barrier)}");
        say(kept, $"again={ErrorOf(() => MpiRanks.Run(_ => 0))}");
        return 0;
    }

    /// <summary>Can't describe what rank 1 throws, and takes the exit code for a success.</summary>
    public static int Undescribed()
    {
        try
        {
            return MpiRanks.Run(
                collective => collective.Rank == 1 ? throw new TimeoutException("the disk is gone") : Wait(collective),
                _ => throw new NotSupportedException("no words"));
        }
        catch (NotSupportedException)
        {
            return 0;
        }
    }

    /// <summary>Calls the others from two threads at once.</summary>
    public static int InTwoThreads(ICollective collective)
    {
        ArgumentNullException.ThrowIfNull(collective);
        using var first = zeros(1);
        using var second = zeros(1);
        Parallel.Invoke(
            () => Array.ForEach(new int[100_000], _ => collective.Sum(first)),
            () => Array.ForEach(new int[100_000], _ => collective.Sum(second)));
        return 0;
    }

    /// <summary>Fails on rank 1, whose finally block then waits for what the other does not do.</summary>
    public static int InFinally(ICollective collective)
    {
        ArgumentNullException.ThrowIfNull(collective);
        using var own = ones(3);
        try
        {
            _ = collective.Rank == 1 ? throw new TimeoutException("the disk is gone") : 0;
            collective.Sum(own);
        }
        finally
        {
            collective.Barrier();
        }

        return 0;
    }

    /// <summary>Fails in a thread of rank 1 in which no one catches it.</summary>
    public static int InAThread(ICollective collective)
    {
        ArgumentNullException.ThrowIfNull(collective);
        if (collective.Rank == 1)
        {
            var reader = new Thread(() => throw new TimeoutException("the disk is gone"));
            reader.Start();
            Thread.Sleep(Timeout.Infinite);
        }

        return Wait(collective);
    }

    private static int Wait(ICollective collective)
    {
        collective.Barrier();
        return 0;
    }

    private static string ErrorOf(Action call)
    {
        try
        {
            call();
            return "none";
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }
}
