using System.Runtime.CompilerServices;
using Pdp.Internal;

namespace Pdp.Numerics.Kernels;

/// <summary>The equations of <see cref="SoftMask"/> for single weights (s = w²), in float32, for a vector of weights at a time.</summary>
/// <remarks>
/// The letters are the same: w weight, v what it competes by, g = ∂L/∂ŵ, t threshold, m mask; <c>scale</c> is 1/√τ.
/// </remarks>
/// <typeparam name="TLanes">The vector.</typeparam>
internal static unsafe class MaskMath<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>The largest x for which e^−x is a normal float32.</summary>
    private const float Farthest = 87;

    /// <summary>1.5·2²³: float32 numbers of this size have no fraction.</summary>
    private const float Rounding = 12582912;

    private const float Log2OfE = 1.44269504f;

    // ln 2 in two parts. The first, 355/512, is short enough for its product with n to be exact.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <summary>ŵ = m·w, with zeros for subnormal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Masked<T>(TLanes w, T boundary, int place)
        where T : struct, IBoundary<TLanes>
    {
        var (m, _) = Mask(boundary.Competing(w, place), boundary.Threshold(place), boundary.Scale(place));
        return WithoutSubnormals(m * w);
    }

    /// <summary>Corrects the gradient of a vector of weights in memory, or adds the corrected one to a sum.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="weight">ŵ.</param>
    /// <param name="gradient">g; null if there is none.</param>
    /// <param name="sum">The earlier gradient; null if there is none.</param>
    /// <param name="boundary">The thresholds and temperatures.</param>
    /// <param name="place">The place of the vector.</param>
    /// <param name="unit">What weights are multiplied by for the sums.</param>
    /// <param name="surplus">Gets Σ(∂L/∂w − m·g)·w of each lane added, if the boundary has these sums.</param>
    /// <param name="square">Gets Σw² of each lane added.</param>
    /// <returns>For each weight, whether it was still ŵ.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Correct<T>(
        TLanes w, float* weight, float* gradient, float* sum, T boundary, int place, TLanes unit, ref TLanes surplus, ref TLanes square)
        where T : struct, IBoundary<TLanes>
    {
        var g = gradient is null ? TLanes.Create(0) : TLanes.Load(gradient);
        var (v, t, scale) = (boundary.Competing(w, place), boundary.Threshold(place), boundary.Scale(place));
        var (m, odds) = Mask(v, t, scale);
        var isSame = TLanes.Equal(WithoutSubnormals(m * w), TLanes.Load(weight));
        var whole = m * g;
        if (T.HasGradientScale)
        {
            scale = boundary.GradientScale(place);
            (m, odds) = Mask(v, t, scale);
        }

        var corrected = Gradient(v, g, t, scale, m, odds);
        if (T.HasSums)
        {
            var inUnits = w * unit;
            surplus = Fma(corrected - whole, inUnits, surplus);
            square = Fma(inUnits, inUnits, square);
        }

        if (sum is not null)
            (TLanes.Load(sum) + corrected).Store(sum);
        else if (gradient is not null)
            corrected.Store(gradient);
        return isSame;
    }

    /// <summary>∂L/∂w = g·(m + (2v²/τ)·m(1 − m)), equation 4 with v = w or a·w; m·g where the mask is hard.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Gradient(TLanes v, TLanes g, TLanes t, TLanes scale, TLanes m, TLanes odds)
    {
        // v in units of √τ, bounded so that its square is finite where m(1 − m) is 0.
        var units = TLanes.Min(TLanes.Abs(v) * scale, TLanes.Create((float)Sharpness.Furthest));
        var twiceIfSoft = TLanes.Less(t * scale, TLanes.Create((float)Sharpness.Hard)) & TLanes.Create(2f);
        return Fma(odds * m * m * (units * units), twiceIfSoft, m) * g;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes WithoutSubnormals(TLanes masked) =>
        masked & TLanes.GreaterOrEqual(TLanes.Abs(masked), TLanes.Create((float)Precision.SmallestNormal));

    /// <summary>m = 1/(1 + e^−z) for the logit z = (v² − t²)/τ, and e^−z, so that 1 − m = m·e^−z.</summary>
    /// <remarks>Masks below <see cref="Sharpness.SmallestMask"/> are 0.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TLanes Mask, TLanes Odds) Mask(TLanes v, TLanes t, TLanes scale)
    {
        var magnitude = TLanes.Abs(v);
        // In units of √τ, as t² and τ may be too large or too small for float32.
        var odds = Exp((t - magnitude) * scale * ((t + magnitude) * scale));
        var m = TLanes.Create(1) / (TLanes.Create(1) + odds);
        return (m & TLanes.GreaterOrEqual(m, TLanes.Create((float)Sharpness.SmallestMask)), odds);
    }

    /// <summary>e^x, to about a unit in the last place; 0 where it would be subnormal, and at most e^87.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Exp(TLanes x)
    {
        var isNormal = TLanes.GreaterOrEqual(x, TLanes.Create(-Farthest));
        var y = TLanes.Min(TLanes.Max(x, TLanes.Create(-Farthest)), TLanes.Create(Farthest));
        // Adding the large number rounds y·log₂e to the integer n, which is then in the lowest bits.
        var shifted = Fma(y, TLanes.Create(Log2OfE), TLanes.Create(Rounding));
        var n = shifted - TLanes.Create(Rounding);
        var r = Fma(n, TLanes.Create(-Ln2Low), Fma(n, TLanes.Create(-Ln2High), y));
        // e^r for |r| ≤ ½·ln 2, by a polynomial that interpolates it at Chebyshev nodes; the error is at most 3e-9.
        var p = Fma(TLanes.Create(1.39412372e-3f), r, TLanes.Create(8.37522952e-3f));
        p = Fma(p, r, TLanes.Create(4.16663513e-2f));
        p = Fma(p, r, TLanes.Create(1.66664143e-1f));
        p = Fma(p, r, TLanes.Create(0.5f));
        p = Fma(p, r, TLanes.Create(1));
        p = Fma(p, r, TLanes.Create(1));
        return TLanes.Scale(p, shifted) & isNormal;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Fma(TLanes a, TLanes b, TLanes c) => TLanes.MultiplyAdd(a, b, c);
}
