using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>The ranks that <c>mpirun</c> started.</summary>
internal sealed class MpiCollective(MpiLibrary library) : ICollective
{
    // MPI counts in 32 bits.
    private const int Most = 1 << 30;

    public int Rank { get; } = library.Rank();

    public int Size { get; } = library.Size();

    public void Sum(Tensor tensor)
    {
        HostMemory.RequireSummable(tensor);
        var (type, size) = (library.Handles.TypeOf(tensor), tensor.element_size());
        HostMemory.Change(tensor, address => ForEachPart(
            tensor.numel(), (first, count) => library.Sum(address + (nint)(first * size), count, type)));
    }

    public void Broadcast(Tensor tensor, int root = 0)
    {
        HostMemory.RequireRank(tensor, root, Size);
        HostMemory.Change(tensor, address => ForEachPart(
            tensor.numel() * tensor.element_size(), (first, count) => library.Broadcast(address + (nint)first, count, root)));
    }

    public void Barrier() => library.Barrier();

    private static void ForEachPart(long count, Action<long, int> operation)
    {
        for (var first = 0L; first < count; first += Most)
        {
            operation(first, (int)Math.Min(Most, count - first));
        }
    }
}
