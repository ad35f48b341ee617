using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Pdp.Training.Distributed.Mpi;

/// <summary>The constants of <c>mpi.h</c>: addresses of exported objects in Open MPI, numbers in MPICH.</summary>
internal sealed record MpiHandles(nint World, nint Sum, nint InPlace, nint Byte, nint Float, nint Double, nint Long)
{
    private static readonly MpiHandles Mpich = new(
        World: 0x44000000, Sum: 0x58000003, InPlace: -1, Byte: 0x4c00010d, Float: 0x4c00040a, Double: 0x4c00080b, Long: 0x4c000809);

    /// <summary>The constants of a library.</summary>
    public static MpiHandles Of(nint library, MpiKind kind) => kind == MpiKind.Mpich ? Mpich : new(
        NativeLibrary.GetExport(library, "ompi_mpi_comm_world"),
        NativeLibrary.GetExport(library, "ompi_mpi_op_sum"),
        InPlace: 1,
        NativeLibrary.GetExport(library, "ompi_mpi_byte"),
        NativeLibrary.GetExport(library, "ompi_mpi_float"),
        NativeLibrary.GetExport(library, "ompi_mpi_double"),
        NativeLibrary.GetExport(library, "ompi_mpi_long_long_int"));

    /// <summary>The type of a tensor that can be summed.</summary>
    public nint TypeOf(Tensor tensor) => tensor.dtype switch
    {
        ScalarType.Float32 => Float,
        ScalarType.Float64 => Double,
        _ => Long,
    };
}
