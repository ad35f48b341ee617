using System.Runtime.InteropServices;

namespace Pdp.Channels.Probing.Running;

/// <summary>Keeps uncaught native exceptions on watched threads from ending the process.</summary>
/// <remarks>
/// C++ calls its terminate handler on the thread that threw, with the stack intact. The handler can't return, but it may wait: on a watched
/// thread it reports the fault and then waits forever, so that only this thread is lost. On other threads it calls the previous handler.
/// Windows turns such exceptions into managed ones.
/// </remarks>
internal static unsafe class NativeFaults
{
    [ThreadStatic]
    private static Action? _report;

    private static readonly delegate* unmanaged<void> Before = Install();

    /// <summary>Watches the current thread.</summary>
    /// <param name="report">Called on the thread before it is abandoned.</param>
    /// <returns>Ends the watch on disposal.</returns>
    public static IDisposable Watch(Action report)
    {
        GC.KeepAlive((nint)Before);
        _report = report;
        return new Guard();
    }

    private static delegate* unmanaged<void> Install()
    {
        var library = OperatingSystem.IsLinux() ? "libstdc++.so.6" : OperatingSystem.IsMacOS() ? "libc++abi.dylib" : null;
        return library is not null
            && NativeLibrary.TryLoad(library, out var handle)
            && NativeLibrary.TryGetExport(handle, "_ZSt13set_terminatePFvvE", out var set)
            ? ((delegate* unmanaged<delegate* unmanaged<void>, delegate* unmanaged<void>>)set)(&Terminate)
            : null;
    }

    [UnmanagedCallersOnly]
    private static void Terminate()
    {
        if (_report is { } report)
        {
            report();
            Thread.Sleep(Timeout.Infinite);
        }

        Before();
    }

    private sealed class Guard : IDisposable
    {
        public void Dispose() => _report = null;
    }
}
