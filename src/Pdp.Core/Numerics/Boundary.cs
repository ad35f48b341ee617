using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>What determines the masks of a weight: thresholds, temperatures and the logits that follow from them.</summary>
/// <remarks>
/// A temperature is kept as the scale 1/√τ, which turns weights into units of √τ. In these units everything is within the range of the
/// type, while t² and τ themselves may be too large or too small for it. Works in the caller's dispose scope.
/// </remarks>
/// <param name="Threshold">t of each group, <c>[groups, 1]</c>, in the unit of the weights.</param>
/// <param name="Scale">1/√τ of each group, <c>[groups, 1]</c>.</param>
/// <param name="Logit">z of each member, <c>[groups, members]</c>.</param>
internal readonly record struct Boundary(Tensor Threshold, Tensor Scale, Tensor Logit)
{
    private static readonly Scalar Hard = Sharpness.Hard.ToScalar();
    private static readonly Scalar Furthest = Sharpness.Furthest.ToScalar();
    private static readonly Scalar MinusFurthest = (-Sharpness.Furthest).ToScalar();

    /// <summary>The boundary of magnitudes, <c>[groups, members]</c>.</summary>
    public static Boundary Of(Tensor magnitude, Tensor threshold, Tensor scale) =>
        new(threshold, scale, SoftMask.Logit(magnitude, threshold, scale));

    /// <summary>Whether the masks of a group are soft enough for a gradient to pass through them, <c>[groups, 1]</c>, bool.</summary>
    public Tensor IsSoft => Threshold.mul(Scale).lt(Hard);

    /// <summary>The weights in units of √τ.</summary>
    public Tensor InUnits(Tensor weight, IMaskStrategy strategy, WeightLayout layout) =>
        strategy.Spread(Scale.expand_as(Logit), layout).mul(weight).clamp_(MinusFurthest, Furthest);
}
