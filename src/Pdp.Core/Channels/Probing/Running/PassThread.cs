using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Pdp.Channels.Probing.Running;

/// <summary>Runs passes of a model on a separate thread, so that a native crash only makes them fail.</summary>
/// <remarks>
/// <para>
/// Some of TorchSharp's functions, such as <c>matmul</c>, throw a native exception when sizes don't match. It can't be caught across the
/// managed frames and would end the process. Passes therefore run on a separate thread that <see cref="NativeFaults"/> can abandon, and
/// return managed values.
/// </para>
/// <para>
/// The thread is also outside the caller's <c>no_grad</c>, <c>inference_mode</c> and dispose scopes, which belong to threads.
/// </para>
/// </remarks>
internal sealed class PassThread : IDisposable
{
    private BlockingCollection<Action>? _work;
    private Thread? _thread;

    /// <summary>
    /// Runs a pass, or several, and returns the result. On the thread itself it runs at once, so that passes that are run together change
    /// threads only once.
    /// </summary>
    /// <exception cref="InvalidOperationException">The native library failed during the pass; the thread is abandoned then.</exception>
    public T Run<T>(Func<T> pass)
    {
        if (Thread.CurrentThread == _thread)
            return pass();

        using var isDone = new ManualResetEventSlim();
        var (result, fault) = (default(T)!, default(ExceptionDispatchInfo));
        var isAbandoned = false;
        (_work ??= Start()).Add(() =>
        {
            using var guard = NativeFaults.Watch(() =>
            {
                isAbandoned = true;
                isDone.Set();
            });
            try
            {
                result = pass();
            }
#pragma warning disable CA1031 // It is rethrown on the caller's thread.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                fault = ExceptionDispatchInfo.Capture(exception);
            }

            isDone.Set();
        });
        isDone.Wait();
        if (isAbandoned)
        {
            (_work, _thread) = (null, null);
            throw new InvalidOperationException(
                "the native library fails with an uncaught exception, as when the sizes of a matrix product don't match");
        }

        fault?.Throw();
        return result;
    }

    public void Dispose() => _work?.CompleteAdding();

    private BlockingCollection<Action> Start()
    {
        var work = new BlockingCollection<Action>();
        _thread = new Thread(() =>
        {
            foreach (var action in work.GetConsumingEnumerable())
                action();
            work.Dispose();
        })
        { IsBackground = true, Name = "Pdp probe" };
        _thread.Start();
        return work;
    }
}
