using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pdp.Internal;
using Pdp.Masks;

namespace Pdp.Kernels;

/// <summary>The equations of <see cref="SoftMask"/> for single weights (s = w²), on sixteen of them at a time, in float32.</summary>
/// <remarks>The same letters: w weight, g = ∂L/∂ŵ, t threshold, m mask; <c>scale</c> is 1/√τ.</remarks>
internal static unsafe class MaskMath
{
    /// <summary>The numbers of a vector; a constant, as a field would be read in every turn of a loop.</summary>
    /// <remarks>Where a processor has vectors of half the width, each operation is two, which is no slower than one at a time.</remarks>
    public const int Lanes = 16;

    /// <summary>The largest exponent whose e^−x is a normal float32.</summary>
    private const float Farthest = 87;

    /// <summary>1.5·2²³: float32 numbers of this size have no fraction.</summary>
    private const float Rounding = 12582912;

    private const float Log2OfE = 1.44269504f;

    // ln 2 in two parts, so that n·ln 2 is exact in the first, which is 355/512.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <summary>ŵ = m·w, with subnormal numbers as zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Masked(Vector512<float> w, Vector512<float> t, Vector512<float> scale)
    {
        var (m, _) = Mask(w, t, scale);
        return WithoutSubnormals(m * w);
    }

    /// <summary>Corrects the gradient of sixteen weights in memory, or adds it to a sum; says for each whether it was still ŵ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Correct(
        Vector512<float> w, float* weight, float* gradient, float* sum, Vector512<float> t, Vector512<float> scale)
    {
        var g = gradient is null ? Vector512<float>.Zero : Vector512.Load(gradient);
        var corrected = Gradient(w, g, t, scale, out var masked);
        var isSame = Vector512.Equals(masked, Vector512.Load(weight));
        if (sum is not null)
            (Vector512.Load(sum) + corrected).Store(sum);
        else if (gradient is not null)
            corrected.Store(gradient);
        return isSame;
    }

    /// <summary>ŵ, and ∂L/∂w = g·(m + (2w²/τ)·m(1 − m)), equation 4; m·g where the mask is hard.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Gradient(
        Vector512<float> w, Vector512<float> g, Vector512<float> t, Vector512<float> scale, out Vector512<float> masked)
    {
        var (m, odds) = Mask(w, t, scale);
        masked = WithoutSubnormals(m * w);
        // w in units of √τ, bounded so that its square is finite where m(1 − m) is 0.
        var units = Vector512.MinNative(Vector512.Abs(w) * scale, Vector512.Create((float)Sharpness.Furthest));
        var twiceIfSoft = Vector512.LessThan(t * scale, Vector512.Create((float)Sharpness.Hard)) & Vector512.Create(2f);
        return Fma(odds * m * m * (units * units), twiceIfSoft, m) * g;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> WithoutSubnormals(Vector512<float> masked) =>
        masked & Vector512.GreaterThanOrEqual(Vector512.Abs(masked), Vector512.Create((float)Precision.SmallestNormal));

    /// <summary>m = 1/(1 + e^−z) of the logit z = (w² − t²)/τ, cut to zero below <see cref="SoftMask.Cut"/>, and e^−z, so that 1 − m = m·e^−z.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Mask, Vector512<float> Odds) Mask(Vector512<float> w, Vector512<float> t, Vector512<float> scale)
    {
        var magnitude = Vector512.Abs(w);
        // In units of √τ, as t² and τ may be too large or too small for float32.
        var odds = Exp((t - magnitude) * scale * ((t + magnitude) * scale));
        var m = Vector512<float>.One / (Vector512<float>.One + odds);
        return (m & Vector512.GreaterThanOrEqual(m, Vector512.Create((float)SoftMask.Cut)), odds);
    }

    /// <summary>e^x, to about a unit in the last place; 0 where it would be subnormal, and no more than e^87.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp(Vector512<float> x)
    {
        var isNormal = Vector512.GreaterThanOrEqual(x, Vector512.Create(-Farthest));
        var y = Vector512.MinNative(Vector512.MaxNative(x, Vector512.Create(-Farthest)), Vector512.Create(Farthest));
        // Adding the large number rounds y·log₂e to the whole number n, which then stands in the lowest bits.
        var shifted = Fma(y, Vector512.Create(Log2OfE), Vector512.Create(Rounding));
        var n = shifted - Vector512.Create(Rounding);
        var r = Fma(n, Vector512.Create(-Ln2Low), Fma(n, Vector512.Create(-Ln2High), y));
        // e^r by a polynomial through Chebyshev's points, |r| ≤ ½·ln 2: 3e-9 at most beside it.
        var p = Fma(Vector512.Create(1.39412372e-3f), r, Vector512.Create(8.37522952e-3f));
        p = Fma(p, r, Vector512.Create(4.16663513e-2f));
        p = Fma(p, r, Vector512.Create(1.66664143e-1f));
        p = Fma(p, r, Vector512.Create(0.5f));
        p = Fma(p, r, Vector512<float>.One);
        p = Fma(p, r, Vector512<float>.One);
        return (p.AsInt32() + (shifted.AsInt32() << 23)).AsSingle() & isNormal;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.MultiplyAddEstimate(a, b, c);
}
