using Pdp.Training.Distributed;

namespace Pdp.Training;

/// <summary>Runs a program on the ranks that <c>mpirun</c> starts, over Open MPI or MPICH, whichever is found at run time.</summary>
/// <remarks>
/// The library is the one that <c>mpirun</c> belongs to, or the only one there is; the environment variable <c>PDP_MPI</c> names another.
/// Whether two runs of as many ranks give the same bits depends on the library's sum, whose order is its own.
/// </remarks>
public static class MpiRanks
{
    private const int Failed = 1;

    private static readonly TimeSpan TimeForMessages = TimeSpan.FromSeconds(0.3);

    /// <summary>
    /// Runs the work of this rank. If it throws, or exits the process, the rank says so on standard error with its number, and MPI ends all
    /// the others, which would wait for it forever. All ranks return together; where one is done and another makes a call still, both fail.
    /// </summary>
    /// <param name="work">The work; gives the exit code. It makes its calls to the collective from one thread at a time.</param>
    /// <param name="describe">What standard error shows of an exception; null, or a null text, for all of it.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="InvalidOperationException">
    /// There is no MPI library, or there are two and nothing tells which to take, or <c>mpirun</c> is of another kind than the library.
    /// </exception>
    public static int Run(Func<ICollective, int> work, Func<Exception, string?>? describe = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        var launcher = MpiLauncher.Find(Environment.GetEnvironmentVariable);
        var (handle, kind) = MpiSearch.Load(launcher);
        var library = new MpiLibrary(handle, kind);
        library.Initialize();
        var collective = new MpiCollective(library);
        using var watch = new ExitWatch(code => EndAll(
            collective, library, code == 0 ? Failed : code, $"exited with code {code} in the middle of its work, which ends all"));
        try
        {
            launcher.RequireSize(collective.Size, kind);
            var code = work(collective);
            collective.End();
            library.Finish();
            return code;
        }
        catch (Exception e)
        {
            watch.Dispose();
            EndAll(collective, library, Failed, $"failed, which ends all: {describe?.Invoke(e) ?? e.ToString()}");
            throw;
        }
    }

    private static void EndAll(MpiCollective collective, MpiLibrary library, int code, string why)
    {
        Console.Error.WriteLine(
            $"Rank {collective.Rank} of {collective.Size} (process {Environment.ProcessId} on {Environment.MachineName}) {why}");
        // The launcher may end all processes before it has passed on what one of them wrote just now, as MPICH's sometimes does.
        Thread.Sleep(TimeForMessages);
        library.Abort(code);
    }
}
