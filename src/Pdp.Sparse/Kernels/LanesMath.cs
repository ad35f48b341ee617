using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>Functions of a vector's numbers.</summary>
/// <typeparam name="TLanes">The vector.</typeparam>
internal static class LanesMath<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>1.5·2²³: float32 numbers of this size have no fraction.</summary>
    private const float Rounding = 12582912;

    private const float Log2OfE = 1.44269504f;

    // ln 2 in two parts; n times the first one, 355/512, is exact.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <summary>x·Φ(x) = max(x, 0) − |x|·erfc(|x|/√2)/2.</summary>
    /// <remarks>erfc by Abramowitz and Stegun, 7.1.26, to 1.5e-7; from |x| = 13 on it is 0 in float32.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Gelu(TLanes x)
    {
        var size = TLanes.Min(TLanes.Create(13), TLanes.Abs(x));
        var z = size * TLanes.Create(0.70710678f);
        var t = TLanes.Create(1) / Fma(z, TLanes.Create(0.3275911f), TLanes.Create(1));
        var p = Fma(TLanes.Create(1.061405429f), t, TLanes.Create(-1.453152027f));
        p = Fma(p, t, TLanes.Create(1.421413741f));
        p = Fma(p, t, TLanes.Create(-0.284496736f));
        p = Fma(p, t, TLanes.Create(0.254829592f));
        var complement = p * t * ExpOfNegative(TLanes.Create(0) - (z * z));
        return TLanes.Max(TLanes.Create(0), x) - (size * TLanes.Create(0.5f) * complement);
    }

    /// <summary>e^x for x in [−87, 0], to about a unit in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes ExpOfNegative(TLanes x)
    {
        // Adding the large number rounds x·log₂e to the integer n, which is then in the lowest bits.
        var shifted = Fma(x, TLanes.Create(Log2OfE), TLanes.Create(Rounding));
        var n = shifted - TLanes.Create(Rounding);
        var r = Fma(n, TLanes.Create(-Ln2Low), Fma(n, TLanes.Create(-Ln2High), x));
        // e^r for |r| ≤ ½·ln 2, by a polynomial that interpolates it at Chebyshev nodes; the error is at most 3e-9.
        var p = Fma(TLanes.Create(1.39412372e-3f), r, TLanes.Create(8.37522952e-3f));
        p = Fma(p, r, TLanes.Create(4.16663513e-2f));
        p = Fma(p, r, TLanes.Create(1.66664143e-1f));
        p = Fma(p, r, TLanes.Create(0.5f));
        p = Fma(p, r, TLanes.Create(1));
        p = Fma(p, r, TLanes.Create(1));
        return TLanes.Scale(p, shifted);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Fma(TLanes a, TLanes b, TLanes c) => TLanes.MultiplyAdd(a, b, c);
}
