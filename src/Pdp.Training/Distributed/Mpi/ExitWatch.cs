namespace Pdp.Training.Distributed.Mpi;

/// <summary>
/// Notices that the process ends in the middle of its work: by <see cref="Environment.Exit"/>, or by an uncaught exception in another
/// thread. MPICH's launcher takes an exit with code 0 for the end of all ranks, and reports success.
/// </summary>
internal sealed class ExitWatch : IDisposable
{
    private readonly EventHandler _onExit;
    private readonly UnhandledExceptionEventHandler _onFault;

    /// <param name="onExit">Gets the exit code.</param>
    /// <param name="onFault">Gets the exception.</param>
    public ExitWatch(Action<int> onExit, Action<Exception> onFault)
    {
        _onExit = (_, _) => onExit(Environment.ExitCode);
        _onFault = (_, fault) => onFault((Exception)fault.ExceptionObject);
        AppDomain.CurrentDomain.ProcessExit += _onExit;
        AppDomain.CurrentDomain.UnhandledException += _onFault;
    }

    /// <summary>Stops watching, as the work is done.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= _onExit;
        AppDomain.CurrentDomain.UnhandledException -= _onFault;
    }
}
