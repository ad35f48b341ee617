using Pdp.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>PDP's mask: ŵ = m·w, and equation 5 for the gradient.</summary>
internal sealed class SoftRule(PdpMask mask, GroupSlices slices) : MultiplicativeRule(mask, slices)
{
    private static readonly Scalar One = 1.ToScalar();

    private Tensor? _threshold;
    private Tensor? _scale;
    private Tensor? _kept;

    public override bool IsIdentity => Mask.Removed == 0;

    public override bool IsSoft => true;

    public override bool Observes => Mask.Importance is not null;

    public override GroupValues Leave(GroupValues dense, GroupValues upstream, MaskForm form)
    {
        var factors = FactorsOf(dense.Weight, form, GradientBoundaryOf);
        var corrected = factors is null || form == MaskForm.Raw
            ? Times(upstream, factors)
            : Times(upstream, factors) with { Weight = Corrected(Gradient(dense, upstream, factors.Value.Hard), dense, upstream, form) };
        Mask.Importance?.Observe(upstream.Weight);
        return corrected;
    }

    /// <summary>The hard mask of the scope, if its form has one; else that of the weight.</summary>
    public override Tensor Kept(Tensor weight) => _kept?.alias() ?? SoftMask.Kept(Mask.MagnitudeOf(weight), Mask.Removed);

    public override void Forget()
    {
        _threshold?.Dispose();
        _scale?.Dispose();
        _kept?.Dispose();
        (_threshold, _scale, _kept) = (null, null, null);
    }

    protected override (Tensor? Hard, Tensor Whole)? FactorsOf(Tensor weight, MaskForm form) => FactorsOf(weight, form, BoundaryOf);

    private (Tensor? Hard, Tensor Whole)? FactorsOf(Tensor weight, MaskForm form, Func<Tensor, Boundary> boundaryOf)
    {
        if (IsIdentity)
            return null;

        var kept = form == MaskForm.Soft ? null : KeptOnce(weight);
        if (form == MaskForm.Raw)
            return (kept, kept!.to_type(weight.dtype));

        var soft = SoftMask.Mask(boundaryOf(weight).Logit);
        return (kept, kept is null ? soft : soft.mul(kept));
    }

    /// <summary>Equation 5 for the weights that make the scores; if norms alone carry the mask, g plus the part through the mask.</summary>
    private Tensor Gradient(GroupValues dense, GroupValues upstream, Tensor? kept)
    {
        var (weight, along) = (dense.Weight, GateAlong(dense, upstream));
        var boundary = GradientBoundaryOf(weight);
        var sensitivity = Mask.Importance?.Sensitivity;
        var gradient = Slices.MasksFilters
            ? SoftMask.Gradient(weight, upstream.Weight, boundary, Mask.Strategy, Mask.Layout, along, sensitivity)
            : along is null ? upstream.Weight.clone()
            : SoftMask.ThroughMask(weight, along, boundary, Mask.Strategy, Mask.Layout, sensitivity).add_(upstream.Weight, One);
        return kept is null ? gradient : gradient.mul_(Spread(kept));
    }

    /// <summary>The gradient corrected along the weights. A form with a hard mask leaves removed weights without one.</summary>
    private Tensor Corrected(Tensor gradient, GroupValues dense, GroupValues upstream, MaskForm form)
    {
        if (!Mask.IsRadiallyCorrected || form != MaskForm.Soft)
            return gradient;

        var mask = Slices.MasksFilters ? Spread(SoftMask.Mask(BoundaryOf(dense.Weight).Logit)) : null;
        return Radial.Corrected(gradient, mask is null ? upstream.Weight : upstream.Weight.mul(mask), Radial.InUnits(dense.Weight));
    }

    /// <summary>The scope's hard mask, found once: ranking costs more than everything else in the scope.</summary>
    private Tensor KeptOnce(Tensor weight)
    {
        _kept ??= Kept(weight).DetachFromDisposeScope();
        return _kept.alias();
    }

    /// <summary>The boundary of the scope at the gradient's temperature.</summary>
    private Boundary GradientBoundaryOf(Tensor weight) => Mask.GradientBoundaryOf(weight, BoundaryOf(weight));

    /// <summary>The scope's boundary, found once: at its start, or at its end if a <see cref="MemoryScope"/> masked the weight.</summary>
    private Boundary BoundaryOf(Tensor weight)
    {
        if (_threshold is not null)
            return Mask.BoundaryOf(weight, _threshold, _scale!);

        var boundary = Mask.BoundaryOf(weight);
        (_threshold, _scale) = (boundary.Threshold.DetachFromDisposeScope(), boundary.Scale.DetachFromDisposeScope());
        return boundary;
    }
}
