using System.Runtime;

namespace Pdp.Training;

/// <summary>Keeps the garbage collector away from TorchSharp's own optimizers and operations while they run.</summary>
/// <remarks>
/// TorchSharp 0.107 makes Scalars that the collector may free while a native call reads them. <see cref="FusedSgd"/>, <see cref="FusedAdam"/> and
/// <see cref="FusedAdamW"/> don't; for any other optimizer <c>Collector.Hold(() => optimizer.step())</c> helps. It is a region without
/// collections (<see cref="GC.TryStartNoGCRegion(long)"/>): each begins with one collection, and what is allocated within must fit its
/// budget. More ends the region early and silently, and the step is then as unsafe as before.
/// </remarks>
public static class Collector
{
    /// <summary>The managed bytes that a region may allocate by default: far more than an optimizer's step needs.</summary>
    public const long DefaultBudget = 64 << 20;

    /// <summary>Runs an action while no collection runs. A call within another, or within a region of the caller's, just runs the action.</summary>
    /// <param name="action">The action, such as <c>() => optimizer.step()</c>.</param>
    /// <param name="budget">The managed bytes that it and other threads may allocate meanwhile, in (0, ∞).</param>
    /// <exception cref="ArgumentNullException"><paramref name="action"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="budget"/> is outside of its range, or more than the runtime allows.</exception>
    /// <exception cref="InsufficientMemoryException">The runtime can't set so many bytes aside; the action has not run then.</exception>
    public static void Hold(Action action, long budget = DefaultBudget)
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(budget);
        var isOurs = TryStart(budget);
        try
        {
            action();
        }
        finally
        {
            if (isOurs)
            {
                End();
            }
        }
    }

    // False where a region has begun already, by this thread or another.
    private static bool TryStart(long budget)
    {
        if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            return false;
        }

        try
        {
            return GC.TryStartNoGCRegion(budget)
                ? true
                : throw new InsufficientMemoryException($"The runtime can't set {budget} bytes aside for a region without collections: lower the budget.");
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    // The region has ended by itself where more than its budget was allocated.
    private static void End()
    {
        try
        {
            if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
            {
                GC.EndNoGCRegion();
            }
        }
        catch (InvalidOperationException)
        {
        }
    }
}
