using System.Diagnostics;
using Pdp.Internal;
using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>The equations of PDP (Cho, Adya, Naik, NeurIPS 2023), on competitors laid out as <c>[groups, members]</c>.</summary>
/// <remarks>
/// w weight, s = c·Σw² score, |w| = √s magnitude, t threshold in units of weight, τ temperature in units of weight², m mask, ŵ = m·w the
/// weight that the forward pass sees, g = ∂L/∂ŵ. Constants are Scalars in static fields, because an implicit Scalar may be
/// collected while libtorch reads it (TorchSharp 0.107 doesn't keep it alive during the call).
/// </remarks>
internal static class SoftMask
{
    /// <summary>How many numbers of the largest allowed size still have a finite sum.</summary>
    private const double MostSummands = 1e6;

    private static readonly Scalar One = 1.ToScalar();
    private static readonly Scalar Half = 0.5.ToScalar();
    private static readonly Scalar Infinity = double.PositiveInfinity.ToScalar();
    private static readonly Scalar SmallestMask = Sharpness.SmallestMask.ToScalar();

    /// <summary>
    /// Equation 1: t = ½·(|w|₍p₎ + |w|₍p+1₎), the midpoint between the largest of the p magnitudes to remove and the next one.
    /// </summary>
    /// <returns><c>[groups, 1]</c>.</returns>
    public static Tensor Threshold(Tensor magnitude, long removed)
    {
        Debug.Assert(removed >= 1 && removed < magnitude.shape[1], "p = 0 is the identity and at least one member stays");

        using var scope = NewDisposeScope();
        return Between(Ranks.Around(magnitude, removed)).MoveToOuterDisposeScope();
    }

    /// <summary>Equation 1 for magnitudes that are known: those at p and at p + 1. Works in the caller's dispose scope.</summary>
    public static Tensor Between((Tensor Below, Tensor Above) magnitudes) => magnitudes.Below.add(magnitudes.Above, One).mul(Half);

    /// <summary>1/√τ for each threshold, finite even for groups of zeros.</summary>
    /// <returns><c>[groups, 1]</c>.</returns>
    public static Tensor Scale(Tensor threshold, Sharpness sharpness)
    {
        using var scope = NewDisposeScope();
        using Scalar ratio = sharpness.Ratio.ToScalar();
        using Scalar most = Math.Min(sharpness.Most, Precision.LargestOf(threshold.dtype)).ToScalar();
        return threshold.zeros_like().add_(ratio, One).div_(threshold).clamp_max_(most).MoveToOuterDisposeScope();
    }

    /// <summary>The logit of the mask, z = (s − t²)/τ, factored so that float32 keeps its precision near the threshold.</summary>
    /// <param name="magnitude">√s, <c>[groups, members]</c>.</param>
    /// <param name="threshold">t, <c>[groups, 1]</c>.</param>
    /// <param name="scale">1/√τ, <c>[groups, 1]</c>.</param>
    /// <returns><c>[groups, members]</c>.</returns>
    public static Tensor Logit(Tensor magnitude, Tensor threshold, Tensor scale)
    {
        using var scope = NewDisposeScope();
        return magnitude.sub(threshold).mul_(scale).mul_(magnitude.add(threshold, One).mul_(scale)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The logit for autograd: its value is that of the factored form, its slope that of the score, or 0 where masks are hard.
    /// </summary>
    public static Tensor Differentiable(Boundary boundary, Tensor weight, IMaskStrategy strategy, WeightLayout layout)
    {
        using var scope = NewDisposeScope();
        using Scalar scoreSlope = strategy.ScoreSlope(layout).ToScalar();
        var units = boundary.InUnits(weight, strategy, layout);
        var score = strategy.Sum(units.mul(units), layout).mul(scoreSlope);
        return score.sub(score.detach()).mul(boundary.IsSoft).add(boundary.Logit, One).MoveToOuterDisposeScope();
    }

    /// <summary>Equation 2: m = σ(z), with masks below <see cref="Sharpness.SmallestMask"/> set to zero.</summary>
    public static Tensor Mask(Tensor logit)
    {
        using var scope = NewDisposeScope();
        var mask = logit.sigmoid();
        return mask.mul(mask.ge(SmallestMask)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The derivative of the mask by its logit, m·(1 − m), with 1 − m computed as σ(−z), which is exact where m rounds to 1.
    /// </summary>
    public static Tensor Slope(Tensor mask, Tensor logit)
    {
        using var scope = NewDisposeScope();
        return logit.neg().sigmoid_().mul_(mask).MoveToOuterDisposeScope();
    }

    /// <summary>A tensor with the gradient of one and the value of another.</summary>
    public static Tensor WithValue(Tensor differentiable, Tensor value)
    {
        using var scope = NewDisposeScope();
        return differentiable.sub(differentiable.detach()).add(value.detach(), One).MoveToOuterDisposeScope();
    }

    /// <summary>Equation 5: ∂L/∂w = m·g + (∂s/∂w)·(1/τ)·m(1 − m)·Σ(g·w).</summary>
    /// <remarks>
    /// The sum goes over the weights that share a score; t is treated as a constant. With s = w² this is equation 4,
    /// g·(m + (2w²/τ)·m(1 − m)). Where masks are hard it is m·g.
    /// </remarks>
    /// <param name="weight">The weights that make the score.</param>
    /// <param name="upstream">g, of the same shape.</param>
    /// <param name="boundary">What determines the mask.</param>
    /// <param name="strategy">What makes the score.</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <param name="along">
    /// Σ(g·θ) over everything else that is multiplied by the mask, <c>[groups, members]</c>; null if there is nothing else.
    /// </param>
    /// <param name="sensitivity">a, a constant, where the score is that of a·w.</param>
    public static Tensor Gradient(
        Tensor weight,
        Tensor upstream,
        Boundary boundary,
        IMaskStrategy strategy,
        WeightLayout layout,
        Tensor? along = null,
        Tensor? sensitivity = null)
    {
        using var scope = NewDisposeScope();
        var scored = Scored.Of(weight, boundary, strategy, layout, sensitivity);
        var shared = strategy.Sum(BoundedProduct(upstream, scored.Weight), layout);
        if (along is not null)
            shared = shared.add(BoundedProduct(along, scored.Unit), One);
        return ThroughMask(scored, shared, boundary, strategy, layout)
            .addcmul_(strategy.Spread(Mask(boundary.Logit), layout), upstream, One)
            .MoveToOuterDisposeScope();
    }

    /// <summary>The part of equation 5 that passes through the mask: (∂s/∂w)·(1/τ)·m(1 − m)·Σ(g·θ).</summary>
    /// <param name="weight">The weights that make the score.</param>
    /// <param name="shared">Σ(g·θ) = ∂L/∂m over everything that is multiplied by the mask, <c>[groups, members]</c>.</param>
    /// <param name="boundary">What determines the mask.</param>
    /// <param name="strategy">What makes the score.</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <param name="sensitivity">a, a constant, where the score is that of a·w.</param>
    public static Tensor ThroughMask(
        Tensor weight, Tensor shared, Boundary boundary, IMaskStrategy strategy, WeightLayout layout, Tensor? sensitivity = null)
    {
        using var scope = NewDisposeScope();
        var scored = Scored.Of(weight, boundary, strategy, layout, sensitivity);
        return ThroughMask(scored, BoundedProduct(shared, scored.Unit), boundary, strategy, layout).MoveToOuterDisposeScope();
    }

    /// <summary>A product bounded so that its sums stay finite: an infinite one times an m(1 − m) or a weight of 0 would be NaN.</summary>
    public static Tensor BoundedProduct(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        var bound = Precision.LargestOf(a.dtype) / MostSummands;
        using Scalar most = bound.ToScalar();
        using Scalar least = (-bound).ToScalar();
        return a.mul(b).clamp_(least, most).MoveToOuterDisposeScope();
    }

    /// <summary>The same with Σ(g·θ) in the unit of the scored weights.</summary>
    private static Tensor ThroughMask(Scored scored, Tensor shared, Boundary boundary, IMaskStrategy strategy, WeightLayout layout)
    {
        using Scalar twiceSlope = (2 * strategy.ScoreSlope(layout)).ToScalar();
        var slope = Slope(Mask(boundary.Logit), boundary.Logit).mul_(boundary.IsSoft).mul_(twiceSlope);
        var gradient = strategy.Spread(slope.mul_(shared), layout).mul(scored.Competing);
        return scored.Slope is null ? gradient : gradient.mul_(scored.Slope);
    }

    /// <summary>The hard mask by rank: it removes exactly p members of each group; among equal ones, the first in position.</summary>
    /// <returns><c>[groups, members]</c>, bool, true where a member is kept.</returns>
    public static Tensor Kept(Tensor magnitude, long removed)
    {
        using var scope = NewDisposeScope();
        if (removed == 0)
            return magnitude.ones_like(ScalarType.Bool).MoveToOuterDisposeScope();

        using Scalar count = removed.ToScalar();
        var cut = Ranks.At(magnitude, removed);
        var below = magnitude.lt(cut);
        var tied = magnitude.eq(cut);
        var open = below.sum(1, keepdim: true).neg_().add_(count, One);
        // If all ties are removed, their order doesn't matter. Only the CPU is asked, because the step would wait for another device.
        if (magnitude.device_type != DeviceType.CPU || !tied.sum(1, keepdim: true).eq(open).all().ReadCpuBool(0))
            tied.logical_and_(tied.cumsum(1).le(open));
        return below.logical_or_(tied).logical_not_().MoveToOuterDisposeScope();
    }

    /// <summary>The same for scores that may be NaN, which ranks as +∞: nothing is equal to it, and the count would not be exact.</summary>
    public static Tensor KeptBy(Tensor score, long removed)
    {
        using var scope = NewDisposeScope();
        // A sum shows NaN in one pass. Only the CPU is asked.
        var mayBeNaN = score.is_floating_point()
            && (score.device_type != DeviceType.CPU || !score.sum().isfinite().ReadCpuBool(0));
        return Kept(mayBeNaN ? score.masked_fill(score.isnan(), Infinity) : score, removed).MoveToOuterDisposeScope();
    }
}
