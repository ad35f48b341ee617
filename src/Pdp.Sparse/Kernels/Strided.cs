using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>Gathers numbers that lie a stride apart.</summary>
internal static unsafe class Strided
{
    /// <summary>target[i] = source[i·stride].</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static void Copy(float* source, long stride, float* target, int count)
    {
        var i = 0;
        if (stride == 2 && Sse.IsSupported)
        {
            // Eight numbers are read for four, and the last of the eight may lie past the end.
            for (; i < count - 4; i += 4)
                Sse.Shuffle(Vector128.Load(source + (2 * i)), Vector128.Load(source + (2 * i) + 4), 0b10_00_10_00).Store(target + i);
        }

        for (; i < count; i++)
            target[i] = source[i * stride];
    }
}
