using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Pdp.Sparse.Kernels;

/// <summary>Fetches nonzeros into the caches before they are needed.</summary>
/// <remarks>
/// Processors prefetch within a page of memory only, and so wait at each new page. Where little is computed for each nonzero, as
/// with few tokens, these waits show.
/// </remarks>
internal static unsafe class Nonzeros
{
    /// <summary>How many nonzeros ahead of the current ones.</summary>
    private const int Ahead = 512;

    /// <summary>Fetches nonzeros of some rows further on. Nothing is read past the end of the weight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(float* values, ushort* indices)
    {
        if (!Sse.IsSupported)
            return;
        Sse.Prefetch0(values + Ahead);
        Sse.Prefetch0(values + Ahead + 16);
        Sse.Prefetch0(indices + Ahead);
    }
}
