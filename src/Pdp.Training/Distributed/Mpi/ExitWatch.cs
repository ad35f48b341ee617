namespace Pdp.Training.Distributed.Mpi;

/// <summary>
/// Notices that the process ends in the middle of its work, as by <see cref="Environment.Exit"/>, which MPICH's launcher takes for the end
/// of all where the code is 0, and reports success; or by an exception that no one catches in another thread.
/// </summary>
internal sealed class ExitWatch : IDisposable
{
    private readonly EventHandler _onExit;
    private readonly UnhandledExceptionEventHandler _onFault;

    /// <param name="onExit">Told of the exit code.</param>
    /// <param name="onFault">Told of the exception.</param>
    public ExitWatch(Action<int> onExit, Action<Exception> onFault)
    {
        _onExit = (_, _) => onExit(Environment.ExitCode);
        _onFault = (_, fault) => onFault((Exception)fault.ExceptionObject);
        AppDomain.CurrentDomain.ProcessExit += _onExit;
        AppDomain.CurrentDomain.UnhandledException += _onFault;
    }

    /// <summary>The work is done.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= _onExit;
        AppDomain.CurrentDomain.UnhandledException -= _onFault;
    }
}
