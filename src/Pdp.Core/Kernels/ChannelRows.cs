using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pdp.Internal;

namespace Pdp.Kernels;

/// <summary>What one channel owns of a parameter, side by side in memory: sums over it, and ŵ = m·w under one m for all of it.</summary>
/// <remarks>Sums are in float64, in an order that depends on the length only.</remarks>
internal static unsafe class ChannelRows
{
    private const int Lanes = MaskMath.Lanes;

    /// <summary>Σ a·b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(float* a, float* b, int length)
    {
        var (low, high) = (Vector512<double>.Zero, Vector512<double>.Zero);
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
        {
            var (x, y) = (Vector512.Load(a + i), Vector512.Load(b + i));
            low = Vector512.MultiplyAddEstimate(Vector512.WidenLower(x), Vector512.WidenLower(y), low);
            high = Vector512.MultiplyAddEstimate(Vector512.WidenUpper(x), Vector512.WidenUpper(y), high);
        }

        var sum = Vector512.Sum(low + high);
        for (; i < length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }

    /// <summary>Writes m·w, with subnormal numbers as zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mask(float* w, float* target, float m, int length)
    {
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
            Masked(Vector512.Load(w + i), m).Store(target + i);
        for (; i < length; i++)
            target[i] = Masked(w[i], m);
    }

    /// <summary>Whether all is still m·w.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsMasked(float* w, float* masked, float m, int length)
    {
        var same = Vector512<float>.AllBitsSet;
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
            same &= Vector512.Equals(Masked(Vector512.Load(w + i), m), Vector512.Load(masked + i));
        var isSame = Vector512.EqualsAll(same.AsInt32(), Vector512<int>.AllBitsSet);
        for (; i < length; i++)
            isSame &= masked[i] == Masked(w[i], m);
        return isSame;
    }

    /// <summary>g ← factor·g + slope·(scale·w).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Correct(float* g, float* w, float factor, float slope, float scale, int length)
    {
        var (factors, slopes, scales) = (Vector512.Create(factor), Vector512.Create(slope), Vector512.Create(scale));
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
            Vector512.MultiplyAddEstimate(slopes, scales * Vector512.Load(w + i), factors * Vector512.Load(g + i)).Store(g + i);
        for (; i < length; i++)
            g[i] = (factor * g[i]) + (slope * (scale * w[i]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Masked(Vector512<float> w, float m)
    {
        var masked = w * m;
        return masked & Vector512.GreaterThanOrEqual(Vector512.Abs(masked), Vector512.Create((float)Precision.SmallestNormal));
    }

    private static float Masked(float w, float m)
    {
        var masked = w * m;
        return MathF.Abs(masked) >= (float)Precision.SmallestNormal ? masked : 0;
    }
}
