namespace Pdp.Training.Distributed;

/// <summary>
/// Notices that the process exits in the middle of its work, as by <see cref="Environment.Exit"/>: MPICH's launcher takes that for the end
/// of all where the code is 0, and reports success.
/// </summary>
internal sealed class ExitWatch : IDisposable
{
    private readonly EventHandler _onExit;

    /// <param name="onExit">Told of the exit code.</param>
    public ExitWatch(Action<int> onExit)
    {
        _onExit = (_, _) => onExit(Environment.ExitCode);
        AppDomain.CurrentDomain.ProcessExit += _onExit;
    }

    /// <summary>The work is done.</summary>
    public void Dispose() => AppDomain.CurrentDomain.ProcessExit -= _onExit;
}
