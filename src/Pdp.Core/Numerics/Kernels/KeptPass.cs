using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pdp.Numerics.Kernels;

/// <summary>
/// Passes over weights and gradients under a committed mask, which has a byte for each weight: 1 if it is kept, 0 if it is removed.
/// </summary>
/// <remarks>
/// They give the bits of the tensor operations. Memory is the bound, so vectors of 256 bits do, which .NET makes of two smaller ones where
/// the processor has none.
/// </remarks>
internal static unsafe class KeptPass
{
    /// <summary>Writes zeros where weights are removed.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static void WriteZeros(float* weight, byte* kept, int length)
    {
        var i = 0;
        for (; i <= length - Vector256<float>.Count; i += Vector256<float>.Count)
            (Vector256.Load(weight + i).AsInt32() & -Load(kept + i)).AsSingle().Store(weight + i);
        for (; i < length; i++)
            weight[i] = kept[i] == 0 ? 0 : weight[i];
    }

    /// <summary>Whether all removed weights are 0 or −0.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static bool AreZero(float* weight, byte* kept, int length)
    {
        var bits = Vector256<int>.Zero;
        var i = 0;
        for (; i <= length - Vector256<float>.Count; i += Vector256<float>.Count)
            bits |= Vector256.Load(weight + i).AsInt32() & (Load(kept + i) - Vector256<int>.One);
        // The shift drops the signs.
        var areZero = Vector256.EqualsAll(bits << 1, Vector256<int>.Zero);
        for (; i < length; i++)
            areZero &= kept[i] != 0 || weight[i] == 0;
        return areZero;
    }

    /// <summary>g ← g where a weight is kept, and g·0 where it is removed: NaN and infinity stay visible.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static void Multiply(float* gradient, byte* kept, int length)
    {
        var i = 0;
        for (; i <= length - Vector256<float>.Count; i += Vector256<float>.Count)
            (Vector256.Load(gradient + i) * Vector256.ConvertToSingle(Load(kept + i))).Store(gradient + i);
        for (; i < length; i++)
            gradient[i] *= kept[i];
    }

    /// <summary>Eight bytes as numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Load(byte* kept)
    {
        var (low, high) = Vector128.Widen(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)kept).AsByte()));
        return Vector256.Create(low, high).AsInt32();
    }
}
