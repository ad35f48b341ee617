using System.Runtime.InteropServices;

namespace Pdp.Training.Distributed.Mpi;

/// <summary>The functions of an MPI library that is found at run time.</summary>
/// <remarks>
/// Handles are pointers in Open MPI and 32-bit integers in MPICH. Both are passed in registers, of which MPICH reads the lower half.
/// </remarks>
internal sealed unsafe class MpiLibrary
{
    // Calls come from one thread at a time.
    private const int Serialized = 2;

    private readonly nint _library;

    public MpiLibrary(nint library, MpiKind kind)
    {
        _library = library;
        Kind = kind;
        Handles = MpiHandles.Of(library, kind);
    }

    public MpiKind Kind { get; }

    public MpiHandles Handles { get; }

    /// <exception cref="InvalidOperationException">MPI was already started in this process; it allows that only once.</exception>
    public void Initialize()
    {
        int provided;
        int isInitialized;
        Check(((delegate* unmanaged<int*, int>)Export("MPI_Initialized"))(&isInitialized), "MPI_Initialized");
        if (isInitialized != 0)
        {
            throw new InvalidOperationException(
                "MPI was already started in this process, which it allows only once: call MpiRanks.Run once, and do all the work in it.");
        }

        Check(((delegate* unmanaged<nint, nint, int, int*, int>)Export("MPI_Init_thread"))(0, 0, Serialized, &provided), "MPI_Init_thread");
    }

    public int Rank() => Number("MPI_Comm_rank");

    public int Size() => Number("MPI_Comm_size");

    public void Sum(nint address, int count, nint type) => Check(
        ((delegate* unmanaged<nint, nint, int, nint, nint, nint, int>)Export("MPI_Allreduce"))(
            Handles.InPlace, address, count, type, Handles.Sum, Handles.World),
        "MPI_Allreduce");

    public void Broadcast(nint address, int bytes, int root) => Check(
        ((delegate* unmanaged<nint, int, nint, int, nint, int>)Export("MPI_Bcast"))(address, bytes, Handles.Byte, root, Handles.World),
        "MPI_Bcast");

    /// <summary>Gives every rank the bytes of all, by rank; each sends the same number.</summary>
    public void Gather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        fixed (byte* from = own, to = all)
        {
            Check(
                ((delegate* unmanaged<byte*, int, nint, byte*, int, nint, nint, int>)Export("MPI_Allgather"))(
                    from, own.Length, Handles.Byte, to, own.Length, Handles.Byte, Handles.World),
                "MPI_Allgather");
        }
    }

    /// <summary>Ends all ranks, this one included.</summary>
    public void Abort(int code) => _ = ((delegate* unmanaged<nint, int, int>)Export("MPI_Abort"))(Handles.World, code);

    public void Finish() => Check(((delegate* unmanaged<int>)Export("MPI_Finalize"))(), "MPI_Finalize");

    private int Number(string function)
    {
        int number;
        Check(((delegate* unmanaged<nint, int*, int>)Export(function))(Handles.World, &number), function);
        return number;
    }

    private nint Export(string function) => NativeLibrary.GetExport(_library, function);

    private static void Check(int code, string function)
    {
        if (code != 0)
        {
            throw new InvalidOperationException($"{function} failed with code {code}.");
        }
    }
}
