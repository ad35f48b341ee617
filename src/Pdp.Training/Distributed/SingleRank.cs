using Pdp.Training.Distributed;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>The collective of a run with a single rank: a loop written for many ranks runs on it unchanged, at no cost.</summary>
public sealed class SingleRank : ICollective
{
    private SingleRank()
    {
    }

    /// <summary>The only instance, as it has no state.</summary>
    public static SingleRank Instance { get; } = new();

    /// <inheritdoc/>
    public int Rank => 0;

    /// <inheritdoc/>
    public int Size => 1;

    /// <inheritdoc/>
    public void Sum(Tensor tensor) => HostMemory.RequireSummable(tensor);

    /// <inheritdoc/>
    public void Broadcast(Tensor tensor, int root = 0) => HostMemory.RequireRank(tensor, root, Size);

    /// <inheritdoc/>
    public void Barrier()
    {
    }
}
