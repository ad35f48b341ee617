using static TorchSharp.torch;

namespace Pdp.Tests.Saving;

/// <summary>A run up to its commit, and its state, for tests that change neither.</summary>
public sealed class CommittedRunFixture : IDisposable
{
    public CommittedRunFixture()
    {
        Run.Train(0, 17).Pruner.Commit();
        State = Run.Pruner.GetState();
    }

    internal ResumableRun Run { get; } = new("unstructured", ScalarType.Float32);

    internal PrunerState State { get; }

    public void Dispose() => Run.Dispose();
}
