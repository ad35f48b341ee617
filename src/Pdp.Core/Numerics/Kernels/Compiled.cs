using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>How the loops over weights are to be compiled.</summary>
internal static class Compiled
{
    /// <summary>Fully at the first call, and each as a method of its own.</summary>
    /// <remarks>
    /// A caller that is optimized later, by its profile, may take a loop in. The many small methods of the loop then exceed the inliner's budget, and
    /// what remains a call is one for each vector: 5 to 40 times slower, in some processes and not in others.
    /// </remarks>
    public const MethodImplOptions AtOnce = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;
}
