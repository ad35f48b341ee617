using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>The weights of equation 5, w, and what makes their scores, a·w, in units that keep products in the type's range.</summary>
/// <remarks>
/// (∂s/∂w)·(1/τ)·Σ(g·w) = 2c·(a·w/√τ)·(a/√τ)·Σ(g·w). Where magnitudes compete, a = 1, both w are in units of √τ, in which they are far
/// from 1 only where m(1 − m) is 0. Sensitivities may give a·w a scale very different from that of w: then the w of the sum is in units of
/// the largest one. Works in the caller's dispose scope.
/// </remarks>
/// <param name="Weight">w/u.</param>
/// <param name="Unit">1/u, in a shape that broadcasts to <c>[groups, members]</c>.</param>
/// <param name="Competing">a·w/√τ.</param>
/// <param name="Slope">a·u/√τ; null for 1.</param>
internal readonly record struct Scored(Tensor Weight, Tensor Unit, Tensor Competing, Tensor? Slope)
{
    /// <summary>Puts weights in their units.</summary>
    /// <param name="weight">w.</param>
    /// <param name="boundary">What determines the mask.</param>
    /// <param name="strategy">What makes the score.</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <param name="sensitivity">a; null for 1.</param>
    public static Scored Of(Tensor weight, Boundary boundary, IMaskStrategy strategy, WeightLayout layout, Tensor? sensitivity)
    {
        if (sensitivity is null)
        {
            var units = boundary.InUnits(weight, strategy, layout);
            return new(units, boundary.Scale, units, Slope: null);
        }

        var largest = Radial.LargestOf(weight);
        var slope = SoftMask.BoundedProduct(boundary.Scale, largest);
        return new(
            weight.div(largest),
            largest.reciprocal(),
            boundary.InUnits(weight.mul(sensitivity), strategy, layout),
            SoftMask.BoundedProduct(strategy.Spread(slope.expand_as(boundary.Logit), layout), sensitivity));
    }
}
