using static TorchSharp.torch;

namespace Pdp.Training.Distributed.Mpi;

/// <summary>The ranks that <c>mpirun</c> started.</summary>
internal sealed class MpiCollective(MpiLibrary library) : ICollective
{
    // MPI counts in 32 bits.
    private const int Most = 1 << 30;

    private readonly Turns _turns = new();
    private byte[]? _sent;

    public int Rank { get; } = library.Rank();

    public int Size { get; } = library.Size();

    public void Sum(Tensor tensor)
    {
        HostMemory.RequireSummable(tensor);
        using var turn = _turns.Take();
        Meet(Calls.Sum(tensor));
        var (type, size) = (library.Handles.TypeOf(tensor), tensor.element_size());
        HostMemory.Change(tensor, address => ForEachPart(
            tensor.numel(), (first, count) => library.Sum(address + (nint)(first * size), count, type)));
    }

    public void Broadcast(Tensor tensor, int root = 0)
    {
        HostMemory.RequireRank(tensor, root, Size);
        using var turn = _turns.Take();
        Meet(Calls.Broadcast(tensor, root));
        HostMemory.Change(tensor, address => ForEachPart(
            tensor.numel() * tensor.element_size(), (first, count) => library.Broadcast(address + (nint)first, count, root)));
    }

    public void Barrier()
    {
        using var turn = _turns.Take();
        Meet(Calls.Barrier);
    }

    /// <summary>The last call: waits until all ranks have finished their work.</summary>
    /// <exception cref="InvalidOperationException">Another rank still makes a call, for which it would wait forever.</exception>
    public void End()
    {
        using var turn = _turns.Take();
        Meet(Calls.End);
        _turns.End();
    }

    // All ranks learn what each is about to do. Where they differ, MPI itself would wait forever or cut numbers off.
    private void Meet(string call)
    {
        _sent ??= new byte[Size * Calls.Length];
        var own = Calls.Encode(call);
        library.Gather(own, _sent);
        for (var rank = 0; rank < Size; rank++)
        {
            if (!_sent.AsSpan(rank * Calls.Length, Calls.Length).SequenceEqual(own))
            {
                Calls.RequireSame(Calls.Decode(_sent));
            }
        }
    }

    private static void ForEachPart(long count, Action<long, int> operation)
    {
        for (var first = 0L; first < count; first += Most)
        {
            operation(first, (int)Math.Min(Most, count - first));
        }
    }
}
