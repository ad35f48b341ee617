using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests;

/// <summary>Calls that come too early, in the middle of a scope, or too late.</summary>
public sealed class PrunerCallsTests
{
    private static readonly PdpOptions Options = TrainingLoop.Options;

    /// <summary>All calls but disposal, with a state that could be restored.</summary>
    public static TheoryData<string, Action<PdpPruner, PrunerState>> Calls => new()
    {
        { nameof(PdpPruner.Plan), (pruner, _) => pruner.Plan() },
        { nameof(PdpPruner.BeginEpoch), (pruner, _) => pruner.BeginEpoch(0.5) },
        { nameof(PdpPruner.ReportMetric), (pruner, _) => pruner.ReportMetric(1) },
        { nameof(PdpPruner.Mask), (pruner, _) => pruner.Mask() },
        { nameof(PdpPruner.Commit), (pruner, _) => pruner.Commit() },
        { nameof(PdpPruner.GetMasks), (pruner, _) => pruner.GetMasks() },
        { nameof(PdpPruner.Shrink), (pruner, _) => pruner.Shrink(() => zeros(1)) },
        { nameof(PdpPruner.Report), (pruner, _) => pruner.Report() },
        { nameof(PdpPruner.GetState), (pruner, _) => pruner.GetState() },
        { nameof(PdpPruner.Restore), (pruner, state) => pruner.Restore(state) },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public void Call_InsideAnOpenScope_SaysToDisposeOfItAndChangesNothing(string name, Action<PdpPruner, PrunerState> call)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        var state = pruner.GetState();
        var dense = TestModels.Bytes(model);

        using (pruner.Mask())
        {
            var masked = TestModels.Bytes(model);
            var fault = Assert.Throws<InvalidOperationException>(() => call(pruner, state));

            Assert.StartsWith("A mask scope is open: dispose it first", fault.Message, StringComparison.Ordinal);
            Assert.True(pruner.Epoch == 0, name);
            Assert.Equal(masked, TestModels.Bytes(model));
        }

        Assert.Equal(dense, TestModels.Bytes(model));
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void Call_AfterDispose_SaysThatThePrunerIsDisposed(string name, Action<PdpPruner, PrunerState> call)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        var state = pruner.GetState();
        pruner.Dispose();

        var fault = Assert.Throws<ObjectDisposedException>(() => call(pruner, state));

        Assert.True(fault.ObjectName == typeof(PdpPruner).FullName, name);
    }

    [Fact]
    public void Dispose_CalledTwice_LeavesTheWeightsToTheirNextPruner()
    {
        using var model = TestModels.Mlp();
        var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        var dense = TestModels.Bytes(model);
        pruner.Dispose();
        using var next = new PdpPruner(model, Options);
        next.BeginEpoch(0);
        using var mask = next.Mask();
        var masked = TestModels.Bytes(model);

        pruner.Dispose();

        Assert.NotEqual(dense, masked);
        Assert.Equal(masked, TestModels.Bytes(model));
        Assert.True(PdpPruner.IsMasking(model));
    }

    [Fact]
    public void Report_BeforeBeginEpoch_SaysToCallItFirst()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Report());

        Assert.Contains("call BeginEpoch(epoch, step, steps) before Report()", fault.Message, StringComparison.Ordinal);
    }
}
