using Pdp.Internal;
using Pdp.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>PDP's rule: ŵ = m·w, and equation 5 for the way back.</summary>
/// <param name="mask">The mask.</param>
/// <param name="type">The type of the weight.</param>
internal sealed class SoftRule(PdpMask mask, ScalarType type) : IMaskRule
{
    private readonly Scalar _smallestNormal = Precision.SmallestNormalOf(type).ToScalar();
    private Tensor? _threshold;
    private Tensor? _scale;

    public bool IsIdentity => mask.Removed == 0;

    public bool Observes => mask.Importance is not null;

    public Tensor Enter(Tensor weight, MaskForm form)
    {
        Forget();
        return Again(weight, form);
    }

    public Tensor Again(Tensor weight, MaskForm form) => IsIdentity ? weight : FormOf(form, weight, BoundaryOf(weight).Logit);

    public Tensor Gradient(Tensor weight, Tensor upstream, MaskForm form)
    {
        var gradient = IsIdentity ? upstream : Corrected(weight, upstream, form);
        mask.Importance?.Observe(upstream);
        return gradient;
    }

    public Tensor Kept(Tensor weight) => mask.KeptBetween(mask.MagnitudeOf(weight));

    public void Forget()
    {
        _threshold?.Dispose();
        _scale?.Dispose();
        (_threshold, _scale) = (null, null);
    }

    public void Dispose()
    {
        Forget();
        _smallestNormal.Dispose();
    }

    private Tensor Corrected(Tensor weight, Tensor upstream, MaskForm form)
    {
        if (form == MaskForm.Raw)
            return upstream.mul(Kept(weight));

        var boundary = BoundaryOf(weight);
        var gradient = mask.Importance?.Gradient(weight, upstream, boundary, mask.Strategy, mask.Layout)
            ?? SoftMask.Gradient(weight, upstream, boundary, mask.Strategy, mask.Layout);
        return form == MaskForm.Soft ? gradient : gradient.mul_(Kept(weight));
    }

    /// <summary>The scope's boundary, which is found once: at its start, or at its end where kernels masked the weight.</summary>
    private Boundary BoundaryOf(Tensor weight)
    {
        if (_threshold is not null)
            return mask.BoundaryOf(weight, _threshold, _scale!);

        var boundary = mask.BoundaryOf(weight);
        (_threshold, _scale) = (boundary.Threshold.DetachFromDisposeScope(), boundary.Scale.DetachFromDisposeScope());
        return boundary;
    }

    /// <summary>ŵ in a form, with subnormal numbers as zeros.</summary>
    private Tensor FormOf(MaskForm form, Tensor weight, Tensor logit)
    {
        var masked = form == MaskForm.Raw ? weight.clone() : mask.Strategy.Spread(SoftMask.Mask(logit), mask.Layout).mul(weight);
        if (form != MaskForm.Soft)
            Zeros.WriteOutside(Kept(weight), masked);
        return Zeros.WithoutSubnormals(masked, _smallestNormal);
    }
}
