namespace Pdp.Tests.Support;

/// <summary>Counts the managed memory that code allocates.</summary>
internal static class Allocations
{
    private const int Rounds = 5;

    /// <summary>The bytes that 20 steps allocate on the current thread, the least of several rounds.</summary>
    /// <remarks>On a busy machine the runtime itself now and then allocates in a round; what a step allocates it does in each.</remarks>
    /// <param name="step">The step.</param>
    public static long Of(Action step) => Enumerable.Range(0, Rounds).Min(_ =>
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
            step();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    });
}
