using System.Numerics;
using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>The passes of <see cref="Taylor"/> importance over memory, with the bits of its tensor operations.</summary>
internal static unsafe class TaylorPass
{
    /// <summary>Writes a·w.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static void Multiply(float* sensitivity, float* weight, float* target, int length)
    {
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
            (Vector.Load(weight + i) * Vector.Load(sensitivity + i)).Store(target + i);
        for (; i < length; i++)
            target[i] = weight[i] * sensitivity[i];
    }

    /// <summary>Writes a + share·(|g| − a); false if a gradient is not finite.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static bool Learn(float* sensitivity, float* gradient, float* target, float share, int length)
    {
        var shares = Vector.Create(share);
        var areFinite = Vector<int>.AllBitsSet;
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var (g, a) = (Vector.Abs(Vector.Load(gradient + i)), Vector.Load(sensitivity + i));
            areFinite &= Vector.LessThan(g, Vector.Create(float.PositiveInfinity));
            (((g - a) * shares) + a).Store(target + i);
        }

        var isFinite = Vector.EqualsAll(areFinite, Vector<int>.AllBitsSet);
        for (; i < length; i++)
        {
            target[i] = ((MathF.Abs(gradient[i]) - sensitivity[i]) * share) + sensitivity[i];
            isFinite &= float.IsFinite(gradient[i]);
        }

        return isFinite;
    }
}
