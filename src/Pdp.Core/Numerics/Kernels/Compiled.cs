using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>How the loops over weights are compiled.</summary>
internal static class Compiled
{
    /// <summary>With full optimization at the first call, and never inlined.</summary>
    /// <remarks>
    /// A caller that the JIT optimizes later by its profile may inline a loop. The loop's many small methods then exceed the inliner's
    /// budget, and some of them become a call for each vector, which is 5 to 40 times slower, in some processes and not in others.
    /// </remarks>
    public const MethodImplOptions AtOnce = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;
}
