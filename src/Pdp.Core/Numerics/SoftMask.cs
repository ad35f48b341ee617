using System.Diagnostics;
using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>The equations of PDP (Cho, Adya, Naik, NeurIPS 2023), on competitors laid out as <c>[groups, members]</c>.</summary>
/// <remarks>
/// w weight, s = c·Σw² score, |w| = √s magnitude, t threshold in units of weight, τ temperature in units of weight², m mask, ŵ = m·w the
/// weight that the forward pass sees, g = ∂L/∂ŵ. Constants are kept Scalars: an implicit one may be collected while libtorch reads it
/// (TorchSharp 0.107 keeps neither alive during the call).
/// </remarks>
internal static class SoftMask
{
    /// <summary>Masks below this are exact zeros: further out weights would turn into subnormal numbers, which slow CPU convolutions manifold.</summary>
    public const double Cut = 1e-12;

    /// <summary>So many numbers of the largest size allowed have a finite sum.</summary>
    private const double MostSummands = 1e6;

    private static readonly Scalar One = 1.ToScalar();
    private static readonly Scalar Half = 0.5.ToScalar();
    private static readonly Scalar CutScalar = Cut.ToScalar();

    /// <summary>Equation 1: t = ½·(|w|₍p₎ + |w|₍p+1₎), the midpoint of the order statistics around the p members to be removed.</summary>
    /// <returns><c>[groups, 1]</c>.</returns>
    public static Tensor Threshold(Tensor magnitude, long removed)
    {
        Debug.Assert(removed >= 1 && removed < magnitude.shape[1], "p = 0 is the identity and at least one member stays");

        using var scope = NewDisposeScope();
        var (below, above) = Ranks.Around(magnitude, removed);
        return below.add(above, One).mul(Half).MoveToOuterDisposeScope();
    }

    /// <summary>1/√τ of each threshold; finite for groups of zeros too.</summary>
    /// <returns><c>[groups, 1]</c>.</returns>
    public static Tensor Scale(Tensor threshold, Sharpness sharpness)
    {
        using var scope = NewDisposeScope();
        using Scalar ratio = sharpness.Ratio.ToScalar();
        using Scalar most = Math.Min(sharpness.Most, Precision.LargestOf(threshold.dtype)).ToScalar();
        return threshold.zeros_like().add_(ratio, One).div_(threshold).clamp_max_(most).MoveToOuterDisposeScope();
    }

    /// <summary>The logit of the mask, z = (s − t²)/τ, factored so that float32 loses nothing near the threshold.</summary>
    /// <param name="magnitude">√s, <c>[groups, members]</c>.</param>
    /// <param name="threshold">t, <c>[groups, 1]</c>.</param>
    /// <param name="scale">1/√τ, <c>[groups, 1]</c>.</param>
    /// <returns><c>[groups, members]</c>.</returns>
    public static Tensor Logit(Tensor magnitude, Tensor threshold, Tensor scale)
    {
        using var scope = NewDisposeScope();
        return magnitude.sub(threshold).mul_(scale).mul_(magnitude.add(threshold, One).mul_(scale)).MoveToOuterDisposeScope();
    }

    /// <summary>The logit for autograd: the value of the factored one, the slope of the score, none where masks are hard.</summary>
    public static Tensor Differentiable(Boundary boundary, Tensor weight, IMaskStrategy strategy, WeightLayout layout)
    {
        using var scope = NewDisposeScope();
        using Scalar scoreSlope = strategy.ScoreSlope(layout).ToScalar();
        var units = boundary.InUnits(weight, strategy, layout);
        var score = strategy.Sum(units.mul(units), layout).mul(scoreSlope);
        return score.sub(score.detach()).mul(boundary.IsSoft).add(boundary.Logit, One).MoveToOuterDisposeScope();
    }

    /// <summary>Equation 2: m = σ(z), with masks below <see cref="Cut"/> cut to zero.</summary>
    public static Tensor Mask(Tensor logit)
    {
        using var scope = NewDisposeScope();
        var mask = logit.sigmoid();
        return mask.mul(mask.ge(CutScalar)).MoveToOuterDisposeScope();
    }

    /// <summary>The slope of the mask over its logit, m·(1 − m), with 1 − m as σ(−z), which is exact where m rounds to 1.</summary>
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

    /// <summary>Equation 5: ∂L/∂w = m·g + (∂s/∂w)·(1/τ)·m(1 − m)·Σ(g·w), the sum over the weights that share a score; t is a constant.</summary>
    /// <remarks>With s = w² this is equation 4, g·(m + (2w²/τ)·m(1 − m)). Where masks are hard it is m·g.</remarks>
    /// <param name="weight">The weights that make the score.</param>
    /// <param name="upstream">g, of the same shape.</param>
    /// <param name="boundary">What the mask hangs on.</param>
    /// <param name="strategy">What makes the score.</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <param name="along">Σ(g·θ) over what else is multiplied by the mask, <c>[groups, members]</c>; null for nothing.</param>
    /// <param name="sensitivity">a, a constant, where the score is that of a·w.</param>
    public static Tensor Gradient(
        Tensor weight, Tensor upstream, Boundary boundary, IMaskStrategy strategy, WeightLayout layout, Tensor? along = null, Tensor? sensitivity = null)
    {
        using var scope = NewDisposeScope();
        var units = boundary.InUnits(weight, strategy, layout);
        var shared = strategy.Sum(BoundedProduct(upstream, units), layout);
        if (along is not null)
            shared = shared.add(BoundedProduct(along, boundary.Scale), One);
        return ThroughMask(sensitivity is null ? units : boundary.InUnits(weight.mul(sensitivity), strategy, layout), sensitivity, shared, boundary, strategy, layout)
            .addcmul_(strategy.Spread(Mask(boundary.Logit), layout), upstream, One)
            .MoveToOuterDisposeScope();
    }

    /// <summary>The part of equation 5 that comes through the mask: (∂s/∂w)·(1/τ)·m(1 − m)·Σ(g·θ).</summary>
    /// <param name="weight">The weights that make the score.</param>
    /// <param name="shared">Σ(g·θ) = ∂L/∂m over all that is multiplied by the mask, <c>[groups, members]</c>.</param>
    /// <param name="boundary">What the mask hangs on.</param>
    /// <param name="strategy">What makes the score.</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <param name="sensitivity">a, a constant, where the score is that of a·w.</param>
    public static Tensor ThroughMask(Tensor weight, Tensor shared, Boundary boundary, IMaskStrategy strategy, WeightLayout layout, Tensor? sensitivity = null)
    {
        using var scope = NewDisposeScope();
        var units = boundary.InUnits(sensitivity is null ? weight : weight.mul(sensitivity), strategy, layout);
        return ThroughMask(units, sensitivity, BoundedProduct(shared, boundary.Scale), boundary, strategy, layout).MoveToOuterDisposeScope();
    }

    /// <summary>A product whose sums stay finite, so that none that overflows meets an m(1 − m) or a weight of 0.</summary>
    public static Tensor BoundedProduct(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        var bound = Precision.LargestOf(a.dtype) / MostSummands;
        using Scalar most = bound.ToScalar();
        using Scalar least = (-bound).ToScalar();
        return a.mul(b).clamp_(least, most).MoveToOuterDisposeScope();
    }

    /// <summary>The same with a·w and Σ(g·θ) in units of √τ, where numbers are far from 1 only if m(1 − m) is 0.</summary>
    private static Tensor ThroughMask(Tensor units, Tensor? sensitivity, Tensor shared, Boundary boundary, IMaskStrategy strategy, WeightLayout layout)
    {
        using Scalar twiceSlope = (2 * strategy.ScoreSlope(layout)).ToScalar();
        var slope = Slope(Mask(boundary.Logit), boundary.Logit).mul_(boundary.IsSoft).mul_(twiceSlope);
        var gradient = strategy.Spread(slope.mul_(shared), layout).mul(units);
        return sensitivity is null ? gradient : gradient.mul_(sensitivity);
    }

    /// <summary>The hard mask by rank: exactly p members of each group are removed, the first in position among equals.</summary>
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
        // Where each tie goes there is no need to count which come first; not asked elsewhere, as the step would wait for the device.
        if (magnitude.device_type != DeviceType.CPU || !tied.sum(1, keepdim: true).eq(open).all().ReadCpuBool(0))
            tied.logical_and_(tied.cumsum(1).le(open));
        return below.logical_or_(tied).logical_not_().MoveToOuterDisposeScope();
    }
}
