using System.Runtime.InteropServices;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>Turns the first Ctrl-C or SIGTERM into a request to stop after the current step; the second ends the process at once.</summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _exitCode;

    public Interrupt() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Receive(context, 130)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Receive(context, 143)),
    ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>What a shell expects of a process that a signal ended: 128 and the signal's number.</summary>
    public int ExitCode => _exitCode;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Receive(PosixSignalContext context, int exitCode)
    {
        // Left uncancelled, the second signal does what it does by default.
        context.Cancel = Interlocked.CompareExchange(ref _exitCode, exitCode, 0) == 0;
        if (context.Cancel)
        {
            _source.Cancel();
        }
    }
}
