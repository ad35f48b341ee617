using Pdp.Training.Distributed.Mpi;

namespace Pdp.Training;

/// <summary>Runs a program on the ranks that <c>mpirun</c> starts, over Open MPI or MPICH, whichever is found at run time.</summary>
/// <remarks>
/// The library is the one that <c>mpirun</c> belongs to, or the only one there is; the environment variable <c>PDP_MPI</c> names another.
/// Whether two runs with the same number of ranks give the same bits depends on the order in which the library sums.
/// </remarks>
public static class MpiRanks
{
    private const int Failed = 1;

    private static readonly TimeSpan TimeForMessages = TimeSpan.FromSeconds(0.3);

    /// <summary>
    /// Runs the work of this rank. If it throws, or exits the process, the rank says so on standard error with its number, and MPI ends all
    /// the others, which would wait for it forever. The same happens for an uncaught exception in another thread. All ranks return
    /// together; if one is done and another still makes a call, both fail. A process may call it only once.
    /// </summary>
    /// <param name="work">The work; returns the exit code. It makes its calls to the collective from one thread at a time.</param>
    /// <param name="describe">What standard error shows of an exception; null, or a null text, for all of it.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="InvalidOperationException">
    /// There is no MPI library, or there are two and nothing tells which to take, or <c>mpirun</c> is of another kind than the library, or
    /// MPI was already started in this process.
    /// </exception>
    public static int Run(Func<ICollective, int> work, Func<Exception, string?>? describe = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        var launcher = MpiLauncher.Find(Environment.GetEnvironmentVariable);
        var (handle, kind) = MpiSearch.Load(launcher);
        var library = new MpiLibrary(handle, kind);
        library.Initialize();
        var collective = new MpiCollective(library);
        using var watch = new ExitWatch(
            code => EndAll(
                collective, library, code == 0 ? Failed : code, $"exited with code {code} in the middle of its work, which ends all ranks"),
            fault => EndAll(collective, library, Failed, $"failed in another thread, which ends all ranks: {Text(fault, describe)}"));
        Exception? first = null;
        try
        {
            launcher.RequireSize(collective.Size, kind);
            var code = work(collective);
            collective.End();
            library.Finish();
            return code;
        }
        // Finally blocks of the work run after the filter, and may throw an exception of their own in place of the one that tells why.
        catch (Exception e) when (Note(e, ref first))
        {
            watch.Dispose();
            var cause = first is { } other && other != e
                ? $"\nIt replaced an earlier exception: {Text(other, describe)}"
                : "";
            EndAll(collective, library, Failed, $"failed, which ends all ranks: {Text(e, describe)}{cause}");
            throw;
        }
    }

    private static bool Note(Exception e, ref Exception? first)
    {
        first ??= e;
        return true;
    }

    private static string Text(Exception e, Func<Exception, string?>? describe)
    {
        try
        {
            return describe?.Invoke(e) ?? e.ToString();
        }
#pragma warning disable CA1031 // The others wait for the end.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            return $"{e}\nIt could not be described: {fault.Message}";
        }
    }

    private static void EndAll(MpiCollective collective, MpiLibrary library, int code, string why)
    {
        try
        {
            Console.Error.WriteLine(
                $"Rank {collective.Rank} of {collective.Size} (process {Environment.ProcessId} on {Environment.MachineName}) {why}");
            // The launcher may end all processes before it has passed on what one of them wrote just now, as MPICH's sometimes does.
            Thread.Sleep(TimeForMessages);
        }
        finally
        {
            library.Abort(code);
        }
    }
}
