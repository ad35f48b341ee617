using System.Runtime;

namespace Pdp.Training;

/// <summary>Holds off garbage collections while TorchSharp's own optimizers and operations run.</summary>
/// <remarks>
/// TorchSharp 0.107 creates Scalars that the collector may free while a native call reads them. <see cref="FusedSgd"/>,
/// <see cref="FusedAdam"/> and <see cref="FusedAdamW"/> avoid this; for other optimizers use <c>Collector.Hold(() => optimizer.step())</c>.
/// The action runs in a no-GC region (<see cref="GC.TryStartNoGCRegion(long)"/>). Each region starts with one collection, and all
/// allocations inside it must fit its budget. Exceeding the budget ends the region early and without notice, and the step is then as unsafe
/// as before. Calls of several threads share a region, which ends when the last of them is done; once the call that started it is done,
/// new calls wait for a region of their own. On two threads, beside one that allocates as fast as it can, stock steps still fail now and
/// then (44 of 285,655).
/// </remarks>
public static class Collector
{
    /// <summary>The default budget of a region in managed bytes: far more than an optimizer's step needs.</summary>
    public const long DefaultBudget = 64 << 20;

    private static readonly object Gate = new();

    /// <summary>The threads in our region.</summary>
    private static int _inside;

    /// <summary>Whether the thread that started the region is still in it, so that others may join.</summary>
    private static bool _isOpen;

    /// <summary>Whether the region is ours to end.</summary>
    private static bool _isOurs;

    [ThreadStatic]
    private static bool _isInside;

    /// <summary>Runs an action without garbage collections. Inside another call or a no-GC region it just runs the action.</summary>
    /// <param name="action">The action, such as <c>() => optimizer.step()</c>.</param>
    /// <param name="budget">
    /// The managed bytes that this and other threads may allocate meanwhile, in (0, ∞). The runtime reserves twice as many.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="action"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="budget"/> is outside its range, or more than the runtime allows.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">
    /// There isn't as much memory, or the runtime can't reserve it; the action has not run then.
    /// </exception>
    public static void Hold(Action action, long budget = DefaultBudget)
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(budget);
        if (_isInside)
        {
            action();
            return;
        }

        var isStarter = Enter(budget);
        try
        {
            _isInside = true;
            action();
        }
        finally
        {
            _isInside = false;
            Leave(isStarter);
        }
    }

    // If threads could always join, their allocations would exceed the budget; if the starter ended the region, the others' steps
    // would go on outside it.
    private static bool Enter(long budget)
    {
        lock (Gate)
        {
            while (_inside > 0 && !_isOpen)
            {
                Monitor.Wait(Gate);
            }

            var isStarter = _inside == 0;
            if (isStarter)
            {
                _isOurs = TryStart(budget);
                _isOpen = true;
            }

            _inside++;
            return isStarter;
        }
    }

    private static void Leave(bool isStarter)
    {
        lock (Gate)
        {
            _isOpen &= !isStarter;
            _inside--;
            if (_inside == 0)
            {
                End();
                Monitor.PulseAll(Gate);
            }
        }
    }

    // False if a no-GC region is already active, which is then its starter's to end.
    private static bool TryStart(long budget)
    {
        if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            return false;
        }

        try
        {
            return IsWithinMemory(budget) && GC.TryStartNoGCRegion(budget)
                ? true
                : throw new InsufficientMemoryException($"The runtime can't reserve {budget} bytes for a no-GC region: lower the budget.");
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    // The runtime reserves the budget once for small objects and once for large ones. If it tries and fails, it can't allocate large
    // objects any more (.NET 10), so it isn't even asked for more than there is.
    private static bool IsWithinMemory(long budget) =>
        budget <= (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - GC.GetTotalMemory(forceFullCollection: false)) / 2;

    // The region ends by itself when more than its budget is allocated.
    private static void End()
    {
        try
        {
            if (_isOurs && GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
            {
                GC.EndNoGCRegion();
            }
        }
        catch (InvalidOperationException)
        {
        }
    }
}
