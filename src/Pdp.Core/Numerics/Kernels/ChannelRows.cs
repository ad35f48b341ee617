using System.Numerics;
using System.Runtime.CompilerServices;
using Pdp.Internal;

namespace Pdp.Numerics.Kernels;

/// <summary>
/// Operations on the contiguous elements of a parameter that belong to one channel: sums, and ŵ = m·w with one m for all.
/// </summary>
/// <remarks>
/// They use vectors of the processor's width. Sums are in float64, in an order that depends only on that width and the length.
/// </remarks>
internal static unsafe class ChannelRows
{
    /// <summary>Σ a·b.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static double Dot(float* a, float* b, int length)
    {
        var (low, high) = (Vector<double>.Zero, Vector<double>.Zero);
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var (x, y) = (Vector.Load(a + i), Vector.Load(b + i));
            low = Vector.MultiplyAddEstimate(Vector.WidenLower(x), Vector.WidenLower(y), low);
            high = Vector.MultiplyAddEstimate(Vector.WidenUpper(x), Vector.WidenUpper(y), high);
        }

        var sum = Vector.Sum(low + high);
        for (; i < length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }

    /// <summary>Writes m·w, with zeros for subnormal numbers.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static void Mask(float* w, float* target, float m, int length)
    {
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
            Masked(Vector.Load(w + i), m).Store(target + i);
        for (; i < length; i++)
            target[i] = Masked(w[i], m);
    }

    /// <summary>Whether every element is still m·w.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static bool IsMasked(float* w, float* masked, float m, int length)
    {
        var same = Vector<int>.AllBitsSet;
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
            same &= Vector.Equals(Masked(Vector.Load(w + i), m), Vector.Load(masked + i));
        var isSame = Vector.EqualsAll(same, Vector<int>.AllBitsSet);
        for (; i < length; i++)
            isSame &= masked[i] == Masked(w[i], m);
        return isSame;
    }

    /// <summary>g ← factor·g + slope·(scale·w).</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static void Correct(float* g, float* w, float factor, float slope, float scale, int length)
    {
        var (factors, slopes, scales) = (Vector.Create(factor), Vector.Create(slope), Vector.Create(scale));
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
            Vector.MultiplyAddEstimate(slopes, scales * Vector.Load(w + i), factors * Vector.Load(g + i)).Store(g + i);
        for (; i < length; i++)
            g[i] = (factor * g[i]) + (slope * (scale * w[i]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Masked(Vector<float> w, float m)
    {
        var masked = w * m;
        var isNormal = Vector.GreaterThanOrEqual(Vector.Abs(masked), Vector.Create((float)Precision.SmallestNormal));
        return Vector.ConditionalSelect(isNormal, masked, Vector<float>.Zero);
    }

    private static float Masked(float w, float m)
    {
        var masked = w * m;
        return MathF.Abs(masked) >= (float)Precision.SmallestNormal ? masked : 0;
    }
}
