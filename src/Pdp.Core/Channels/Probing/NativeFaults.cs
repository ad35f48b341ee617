using System.Runtime.InteropServices;

namespace Pdp.Channels.Probing;

/// <summary>Keeps native exceptions that nobody catches from ending the process, on threads that are watched.</summary>
/// <remarks>
/// C++ calls its terminate handler on the thread that threw, with the stack as it was. The handler can't return, but it may wait: on a watched
/// thread it reports and then waits for ever, so that only this thread is lost. On all other threads the handler of before is called. Windows turns
/// such exceptions into managed ones by itself.
/// </remarks>
internal static unsafe class NativeFaults
{
    [ThreadStatic]
    private static Action? _report;

    private static readonly delegate* unmanaged<void> Before = Install();

    /// <summary>Watches the current thread.</summary>
    /// <param name="report">What is called on it when it is lost.</param>
    /// <returns>What ends the watch.</returns>
    public static IDisposable Watch(Action report)
    {
        GC.KeepAlive((nint)Before);
        _report = report;
        return new Guard();
    }

    private static delegate* unmanaged<void> Install()
    {
        var library = OperatingSystem.IsLinux() ? "libstdc++.so.6" : OperatingSystem.IsMacOS() ? "libc++abi.dylib" : null;
        return library is not null && NativeLibrary.TryLoad(library, out var handle) && NativeLibrary.TryGetExport(handle, "_ZSt13set_terminatePFvvE", out var set)
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
