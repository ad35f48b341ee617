using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Tests.Support;

/// <summary>Checks that an operation leaves no tensor behind.</summary>
internal static class Leaks
{
    /// <summary>How often <see cref="None"/> runs its operation.</summary>
    public const int Operations = 2 * Runs;

    private const int Runs = 5;

    /// <summary>Waits for the finalizers of earlier tests' garbage, which is counted until they have run.</summary>
    public static void ForgetGarbage()
    {
        // Twice: what hangs on an object with a finalizer becomes garbage only when that has run.
        for (var round = 0; round < 2; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    /// <summary>Runs an operation that disposes of its own results, outside of any dispose scope, as users may.</summary>
    public static void None(Action operation)
    {
        ForgetGarbage();
        for (var i = 0; i < Runs; i++)
            operation();

        ForgetGarbage();
        DisposeScopeManager.Statistics.Reset();
        var live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var total = Tensor.TotalCount;
        for (var i = 0; i < Runs; i++)
            operation();

        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Equal(total, Tensor.TotalCount);
        Assert.True(
            DisposeScopeManager.Statistics.CreatedInScopeCount + DisposeScopeManager.Statistics.CreatedOutsideScopeCount > 0,
            "The operation made no tensor.");
    }
}
