namespace Pdp.Numerics.Kernels;

/// <summary>A team of libtorch's own threads.</summary>
/// <remarks>
/// Between two operations libtorch's threads wait for the next one busily, for milliseconds. Other threads would have to share the cores
/// with them; these are there already.
/// </remarks>
internal static unsafe class OpenMp
{
    private static readonly delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> Parallel =
        (delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)NativeTensor.Export("GOMP_parallel");

    /// <summary>Whether libtorch was built with GNU's OpenMP.</summary>
    public static bool IsAvailable => Parallel is not null;

    /// <summary>Calls a function on each thread of a team, the caller's included; returns when all have.</summary>
    /// <remarks>The number of threads is to be libtorch's: with another one the team would be made anew, now and at the next operation.</remarks>
    public static void Run(delegate* unmanaged<nint, void> function, nint argument, int threads) => Parallel(function, argument, (uint)threads, 0);
}
