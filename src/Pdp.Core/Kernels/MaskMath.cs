using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pdp.Internal;
using Pdp.Masks;

namespace Pdp.Kernels;

/// <summary>The equations of <see cref="SoftMask"/> for single weights (s = w²), on eight of them at a time, in float32.</summary>
/// <remarks>The same letters: w weight, g = ∂L/∂ŵ, t threshold, m mask; <c>inverse</c> is 1/τ.</remarks>
internal static unsafe class MaskMath
{
    /// <summary>The largest exponent whose e^−x is a normal float32.</summary>
    private const float Farthest = 87;

    private const float Log2OfE = 1.44269504f;

    // ln 2 in two parts, so that n·ln 2 is exact in the first, which is 355/512.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <summary>ŵ = m·w, with subnormal numbers as zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Masked(Vector256<float> w, Vector256<float> t, Vector256<float> inverse)
    {
        var (m, _) = Mask(w, t, inverse);
        var masked = m * w;
        return masked & Vector256.GreaterThanOrEqual(Vector256.Abs(masked), Vector256.Create((float)Precision.SmallestNormal));
    }

    /// <summary>Corrects the gradient of eight weights in memory, or adds it to a sum; says for each whether it was still ŵ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Correct(
        Vector256<float> w, float* weight, float* gradient, float* sum, Vector256<float> t, Vector256<float> inverse)
    {
        var g = gradient is null ? Vector256<float>.Zero : Vector256.Load(gradient);
        var corrected = Gradient(w, g, t, inverse, out var masked);
        var isSame = Vector256.Equals(masked, Vector256.Load(weight));
        if (sum is not null)
            (Vector256.Load(sum) + corrected).Store(sum);
        else if (gradient is not null)
            corrected.Store(gradient);
        return isSame;
    }

    /// <summary>ŵ, and ∂L/∂w = g·(m + (2w²/τ)·m(1 − m)), equation 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Gradient(
        Vector256<float> w, Vector256<float> g, Vector256<float> t, Vector256<float> inverse, out Vector256<float> masked)
    {
        var (m, rest) = Mask(w, t, inverse);
        masked = m * w;
        masked &= Vector256.GreaterThanOrEqual(Vector256.Abs(masked), Vector256.Create((float)Precision.SmallestNormal));
        // The product with m(1 − m) comes first: it is 0 where a tiny τ would make the quotient overflow.
        var boundary = rest * m * (g * w) * Vector256.Create(2f) * inverse;
        return Fma(boundary, w, m * g);
    }

    /// <summary>m = σ((w² − t²)/τ), cut to zero below <see cref="SoftMask.Cut"/>, and 1 − m as σ of the negative logit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Mask, Vector256<float> Removal) Mask(Vector256<float> w, Vector256<float> t, Vector256<float> inverse)
    {
        var magnitude = Vector256.Abs(w);
        var logit = (magnitude - t) * (magnitude + t) * inverse;
        var e = ExpOfMinus(Vector256.Abs(logit));
        var larger = Vector256<float>.One / (Vector256<float>.One + e);
        var smaller = e * larger;
        var isKept = Vector256.GreaterThanOrEqual(logit, Vector256<float>.Zero);
        var m = Vector256.ConditionalSelect(isKept, larger, smaller);
        m &= Vector256.GreaterThanOrEqual(m, Vector256.Create((float)SoftMask.Cut));
        return (m, Vector256.ConditionalSelect(isKept, smaller, larger));
    }

    /// <summary>e^−x for x ≥ 0, to about a unit in the last place; 0 where it would be subnormal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> ExpOfMinus(Vector256<float> x)
    {
        var isNormal = Vector256.LessThanOrEqual(x, Vector256.Create(Farthest));
        var y = -Vector256.MinNative(x, Vector256.Create(Farthest));
        var n = Vector256.Round(y * Vector256.Create(Log2OfE));
        var r = Fma(n, Vector256.Create(-Ln2Low), Fma(n, Vector256.Create(-Ln2High), y));
        // e^r by its series: |r| ≤ ½·ln 2, where the first term left out, r⁸/8!, is 5e-9.
        var p = Fma(Vector256.Create(1f / 5040), r, Vector256.Create(1f / 720));
        p = Fma(p, r, Vector256.Create(1f / 120));
        p = Fma(p, r, Vector256.Create(1f / 24));
        p = Fma(p, r, Vector256.Create(1f / 6));
        p = Fma(p, r, Vector256.Create(0.5f));
        p = Fma(p, r, Vector256<float>.One);
        p = Fma(p, r, Vector256<float>.One);
        var scaled = p.AsInt32() + (Vector256.ConvertToInt32Native(n) << 23);
        return scaled.AsSingle() & isNormal;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Fma(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.MultiplyAddEstimate(a, b, c);
}
