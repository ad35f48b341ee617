using System.Globalization;

namespace Pdp.Training.Distributed.Mpi;

/// <summary>What started this process, according to its environment.</summary>
/// <param name="Kind">The kind of its <c>mpirun</c>; null where none started it.</param>
/// <param name="Size">The ranks that it started.</param>
internal readonly record struct MpiLauncher(MpiKind? Kind, int Size)
{
    private static readonly (string Variable, MpiKind Kind)[] Signs =
        [("OMPI_COMM_WORLD_SIZE", MpiKind.OpenMpi), ("PMI_SIZE", MpiKind.Mpich)];

    /// <summary>Reads the environment.</summary>
    public static MpiLauncher Find(Func<string, string?> environment)
    {
        foreach (var (variable, kind) in Signs)
        {
            if (int.TryParse(environment(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
            {
                return new MpiLauncher(kind, size);
            }
        }

        return new MpiLauncher(null, 1);
    }

    /// <summary>
    /// Checks that <c>mpirun</c> and the library are of the same kind; otherwise each process takes itself for the only rank.
    /// </summary>
    /// <exception cref="InvalidOperationException">They are not.</exception>
    public void RequireSize(int size, MpiKind library)
    {
        if (size != Size && Kind is { } kind)
        {
            throw new InvalidOperationException(
                $"{MpiSearch.Name(kind)}'s mpirun started {Size} ranks, and the library, {MpiSearch.Name(library)}, knows of {size}: "
                + $"start them with the mpirun of the same kind, or name a library of {MpiSearch.Name(kind)} in {MpiSearch.Variable}.");
        }
    }
}
