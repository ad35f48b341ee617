using System.Runtime.InteropServices;

namespace Pdp.Training.Distributed.Mpi;

/// <summary>Finds the MPI library of this machine.</summary>
internal static class MpiSearch
{
    /// <summary>The environment variable that names a library, where the choice isn't clear.</summary>
    public const string Variable = "PDP_MPI";

    // An object that only Open MPI has.
    private const string OpenMpiWorld = "ompi_mpi_comm_world";
    private const string Install = "install one, such as by 'apt-get install openmpi-bin libopenmpi-dev' or 'apt-get install mpich'";

    // The names of the libraries on Linux, with Debian's for MPICH, and on macOS.
    private static readonly string[] Names =
        ["libmpi.so.40", "libmpich.so.12", "libmpi.so.12", "libmpi.so", "libmpi.40.dylib", "libmpi.12.dylib", "libmpi.dylib"];

    /// <summary>The usual name of a kind.</summary>
    public static string Name(MpiKind kind) => kind == MpiKind.OpenMpi ? "Open MPI" : "MPICH";

    /// <summary>Loads the library that is named, or the one that fits the launcher.</summary>
    /// <exception cref="InvalidOperationException">There is none, or there are two and nothing tells which to take.</exception>
    public static (nint Handle, MpiKind Kind) Load(MpiLauncher launcher)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return TryLoad(named) ?? throw new InvalidOperationException($"{Variable} is '{named}', not an MPI library: {Install}.");
        }

        (nint Handle, MpiKind Kind)[] found = [.. Names.Select(TryLoad).OfType<(nint Handle, MpiKind Kind)>().DistinctBy(one => one.Kind)];
        var kind = Choose([.. found.Select(one => one.Kind)], launcher.Kind);
        foreach (var other in found.Where(one => one.Kind != kind))
        {
            NativeLibrary.Free(other.Handle);
        }

        return found.Single(one => one.Kind == kind);
    }

    /// <summary>The kind to take: the launcher's, or the only one.</summary>
    /// <exception cref="InvalidOperationException">There is none, or there are two and nothing tells which to take.</exception>
    public static MpiKind Choose(IReadOnlyList<MpiKind> found, MpiKind? launcher) => found switch
    {
        [] => throw new InvalidOperationException($"No MPI library was found: {Install}, or name its file in {Variable}."),
        _ when launcher is { } kind && found.Contains(kind) => kind,
        [var only] => only,
        _ => throw new InvalidOperationException(
            $"There are two kinds of MPI here, {string.Join(" and ", found.Select(Name))}, and no mpirun that tells which to take: "
            + $"start the program with mpirun, or name the library's file in {Variable}."),
    };

    private static (nint Handle, MpiKind Kind)? TryLoad(string name)
    {
        if (!NativeLibrary.TryLoad(name, out var handle))
        {
            return null;
        }

        if (NativeLibrary.TryGetExport(handle, "MPI_Init_thread", out _))
        {
            return (handle, NativeLibrary.TryGetExport(handle, OpenMpiWorld, out _) ? MpiKind.OpenMpi : MpiKind.Mpich);
        }

        NativeLibrary.Free(handle);
        return null;
    }
}
