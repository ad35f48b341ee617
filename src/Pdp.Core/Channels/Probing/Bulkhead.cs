using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Pdp.Channels.Probing;

/// <summary>Runs passes of a model where the worst that they can do is fail.</summary>
/// <remarks>
/// <para>
/// Some of TorchSharp's functions, <c>matmul</c> among them, let a native exception through when sizes don't fit. The system finds nobody to
/// catch it behind the managed frames and ends the process, which a trial must not do. So each pass runs on a thread of its own that
/// <see cref="NativeFaults"/> can give up, and what a pass needs to return is brought back as managed values.
/// </para>
/// <para>
/// The thread also starts outside of the caller's <c>no_grad</c>, <c>inference_mode</c> and dispose scopes, which belong to threads.
/// </para>
/// </remarks>
internal sealed class Bulkhead : IDisposable
{
    private BlockingCollection<Action>? _work;

    /// <summary>Runs a pass and gives its result.</summary>
    /// <exception cref="InvalidOperationException">The native library gave up within the pass; its thread is lost then.</exception>
    public T Run<T>(Func<T> pass)
    {
        using var isDone = new ManualResetEventSlim();
        var (result, fault) = (default(T)!, default(ExceptionDispatchInfo));
        var isGivenUp = false;
        (_work ??= Start()).Add(() =>
        {
            using var guard = NativeFaults.Watch(() =>
            {
                isGivenUp = true;
                isDone.Set();
            });
            try
            {
                result = pass();
            }
#pragma warning disable CA1031 // It travels on on the caller's thread.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                fault = ExceptionDispatchInfo.Capture(exception);
            }

            isDone.Set();
        });
        isDone.Wait();
        if (isGivenUp)
        {
            _work = null;
            throw new InvalidOperationException("the native library gives up: sizes that don't fit meet, as in a product of matrices");
        }

        fault?.Throw();
        return result;
    }

    public void Dispose() => _work?.CompleteAdding();

    private static BlockingCollection<Action> Start()
    {
        var work = new BlockingCollection<Action>();
        new Thread(() =>
        {
            foreach (var action in work.GetConsumingEnumerable())
                action();
            work.Dispose();
        })
        { IsBackground = true, Name = "Pdp probe" }.Start();
        return work;
    }
}
