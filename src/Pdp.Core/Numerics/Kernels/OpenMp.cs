using Pdp.Internal;

namespace Pdp.Numerics.Kernels;

/// <summary>Runs work on libtorch's own threads.</summary>
/// <remarks>
/// After an operation, libtorch's threads spin for milliseconds while they wait for the next one. Other threads would have to share the
/// cores with them.
/// </remarks>
internal static unsafe class OpenMp
{
    private static readonly delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> Parallel =
        (delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)TorchLibrary.Export("GOMP_parallel");

    /// <summary>Whether libtorch was built with GNU OpenMP.</summary>
    public static bool IsAvailable => Parallel is not null;

    /// <summary>Calls a function on each of the threads, including the caller's, and returns when all calls have returned.</summary>
    /// <remarks>
    /// The number of threads has to be libtorch's. With another one OpenMP would recreate its threads, here and at the next operation.
    /// </remarks>
    public static void Run(delegate* unmanaged<nint, void> function, nint argument, int threads) =>
        Parallel(function, argument, (uint)threads, 0);
}
