using Pdp.Numerics;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Computes what determines a mask, magnitudes, thresholds and temperatures, and ŵ. Works in the caller's scope.</summary>
internal static class MaskThresholds
{
    /// <summary>The magnitudes that compete, <c>[groups, members]</c>, of a weight in its arithmetic type.</summary>
    public static Tensor MagnitudeOf(this PdpMask mask, Tensor wide) =>
        mask.Strategy.Magnitude(mask.Importance?.Competing(wide) ?? wide, mask.Layout);

    /// <summary>The thresholds of magnitudes, <c>[groups, 1]</c>; zeros if p is 0.</summary>
    public static Tensor ThresholdOf(this PdpMask mask, Tensor magnitude) =>
        mask.Removed == 0 ? magnitude.new_zeros(mask.Groups, 1) : SoftMask.Threshold(magnitude, mask.Removed);

    /// <summary>The boundary of a weight in its arithmetic type, for p &gt; 0.</summary>
    public static Boundary BoundaryOf(this PdpMask mask, Tensor wide) => mask.BoundaryBetween(mask.MagnitudeOf(wide));

    /// <summary>The boundary of magnitudes, <c>[groups, members]</c>, for p &gt; 0.</summary>
    public static Boundary BoundaryBetween(this PdpMask mask, Tensor magnitude)
    {
        var threshold = mask.ThresholdOf(magnitude);
        return Boundary.Of(magnitude, threshold, SoftMask.Scale(threshold, mask.Sharpness));
    }

    /// <summary>The boundary of a weight for a threshold and a scale that are already known.</summary>
    public static Boundary BoundaryOf(this PdpMask mask, Tensor wide, Tensor threshold, Tensor scale) =>
        Boundary.Of(mask.MagnitudeOf(wide), threshold, scale);

    /// <summary>The boundary for the gradient: the same thresholds, at the temperature of the gradient.</summary>
    public static Boundary GradientBoundaryOf(this PdpMask mask, Tensor wide, Boundary boundary) => mask.GradientSharpness is { } own
        ? mask.BoundaryOf(wide, boundary.Threshold, SoftMask.Scale(boundary.Threshold, own))
        : boundary;

    /// <summary>ŵ as a differentiable function of a weight in its arithmetic type, for p &gt; 0.</summary>
    /// <remarks>Corrected along the weights, masks only see them move across their direction, and ŵ grows as they do.</remarks>
    public static Tensor MaskedOf(this PdpMask mask, Tensor wide)
    {
        var (strategy, layout) = (mask.Strategy, mask.Layout);
        var boundary = mask.BoundaryOf(wide.detach());
        var growth = mask.IsRadiallyCorrected ? Radial.Growth(wide) : null;
        var across = growth is null ? wide : Radial.Grown(wide, growth, Radial.InUnits(wide).neg());
        var logit = SoftMask.Differentiable(mask.GradientBoundaryOf(wide.detach(), boundary), across, strategy, layout);
        var masked = strategy.Spread(SoftMask.Mask(logit), layout).mul(across);
        if (mask.GradientSharpness is not null)
            masked = SoftMask.WithValue(masked, strategy.Spread(SoftMask.Mask(boundary.Logit), layout).mul(wide));
        return growth is null ? masked : Radial.Grown(masked, growth, masked.div(Radial.LargestOf(wide)));
    }
}
