using System.Runtime;

namespace Pdp.Training;

/// <summary>Holds off garbage collections while TorchSharp's own optimizers and operations run.</summary>
/// <remarks>
/// TorchSharp 0.107 creates Scalars that the collector may free while a native call reads them. <see cref="FusedSgd"/>,
/// <see cref="FusedAdam"/> and <see cref="FusedAdamW"/> avoid this; for other optimizers use <c>Collector.Hold(() => optimizer.step())</c>.
/// The action runs in a no-GC region (<see cref="GC.TryStartNoGCRegion(long)"/>). Each region starts with one collection, and all
/// allocations inside it must fit its budget. Exceeding the budget ends the region early and without notice, and the step is then as unsafe
/// as before.
/// </remarks>
public static class Collector
{
    /// <summary>The default budget of a region in managed bytes: far more than an optimizer's step needs.</summary>
    public const long DefaultBudget = 64 << 20;

    /// <summary>Runs an action without garbage collections. Inside another call or a no-GC region it just runs the action.</summary>
    /// <param name="action">The action, such as <c>() => optimizer.step()</c>.</param>
    /// <param name="budget">The managed bytes that this and other threads may allocate meanwhile, in (0, ∞).</param>
    /// <exception cref="ArgumentNullException"><paramref name="action"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="budget"/> is outside its range, or more than the runtime allows.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The runtime can't reserve that many bytes; the action has not run then.</exception>
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

    // False if a region is already active, started by this thread or another.
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
                : throw new InsufficientMemoryException($"The runtime can't reserve {budget} bytes for a no-GC region: lower the budget.");
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    // The region ends by itself when more than its budget is allocated.
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
