using Pdp.Numerics;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>PDP's rule for channels: one m for all of a channel, by the magnitude of its filters.</summary>
/// <param name="mask">The mask.</param>
/// <param name="layout">The layout of the filters side by side.</param>
internal sealed class SoftChannels(PdpMask mask, WeightLayout layout) : IChannelRule
{
    private Tensor? _threshold;
    private Tensor? _scale;

    public bool IsIdentity => mask.Removed == 0;

    public bool IsSoft => true;

    public bool Observes => mask.Importance is not null;

    public void Begin(Tensor filters)
    {
        Forget();
        if (IsIdentity)
            return;

        var boundary = mask.BoundaryBetween(MagnitudeOf(filters));
        (_threshold, _scale) = (boundary.Threshold.DetachFromDisposeScope(), boundary.Scale.DetachFromDisposeScope());
    }

    public (Tensor? Hard, Tensor? Whole) Factors(Tensor filters, MaskForm form)
    {
        if (IsIdentity)
            return (null, null);

        var kept = form == MaskForm.Soft ? null : Kept(filters);
        if (form == MaskForm.Raw)
            return (kept, kept!.to_type(filters.dtype));

        var soft = SoftMask.Mask(BoundaryOf(filters).Logit).reshape(-1, 1);
        return (kept, kept is null ? soft : soft.mul(kept));
    }

    public Tensor? ThroughMask(Tensor filters, Tensor gate, MaskForm form)
    {
        if (IsIdentity || form == MaskForm.Raw)
            return null;

        var gradient = mask.Importance?.ThroughMask(filters, gate, BoundaryOf(filters), mask.Strategy, layout)
            ?? SoftMask.ThroughMask(filters, gate, BoundaryOf(filters), mask.Strategy, layout);
        return form == MaskForm.Soft ? gradient : gradient.mul_(Kept(filters));
    }

    public void FilterGradient(Tensor upstream) => mask.Importance?.Observe(upstream);

    public Tensor Kept(Tensor filters) => SoftMask.Kept(MagnitudeOf(filters), mask.Removed).reshape(-1, 1);

    public void Forget()
    {
        _threshold?.Dispose();
        _scale?.Dispose();
        (_threshold, _scale) = (null, null);
    }

    public void Dispose() => Forget();

    private Tensor MagnitudeOf(Tensor filters) => mask.MagnitudeOf(filters, layout);

    private Boundary BoundaryOf(Tensor filters) => Boundary.Of(MagnitudeOf(filters), _threshold!, _scale!);
}
