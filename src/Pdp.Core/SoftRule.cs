using Pdp.Internal;
using Pdp.Masks;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>PDP's rule: ŵ = m·w, and equation 5 for the way back.</summary>
/// <param name="mask">The mask.</param>
/// <param name="type">The type of the weight.</param>
internal sealed class SoftRule(PdpMask mask, ScalarType type) : IMaskRule
{
    private readonly Scalar _smallestNormal = Precision.SmallestNormalOf(type).ToScalar();
    private Tensor? _threshold;
    private Tensor? _temperature;

    public bool IsIdentity => mask.Removed == 0;

    public Tensor Enter(Tensor weight, MaskForm form)
    {
        var (threshold, temperature, logit) = mask.BoundaryOf(weight);
        Own(ref _threshold, threshold);
        Own(ref _temperature, temperature);
        return FormOf(form, weight, logit);
    }

    public Tensor Again(Tensor weight, MaskForm form) => FormOf(form, weight, Logit(weight));

    public Tensor Gradient(Tensor weight, Tensor upstream, MaskForm form)
    {
        if (form == MaskForm.Raw)
            return upstream.mul(Kept(weight));

        var gradient = SoftMask.Gradient(weight, upstream, Logit(weight), _temperature!, mask.Strategy, mask.Layout);
        return form == MaskForm.Soft ? gradient : gradient.mul_(Kept(weight));
    }

    public Tensor Kept(Tensor weight) => mask.Kept(weight);

    public void Forget()
    {
        _threshold?.Dispose();
        _temperature?.Dispose();
        (_threshold, _temperature) = (null, null);
    }

    public void Dispose()
    {
        Forget();
        _smallestNormal.Dispose();
    }

    /// <summary>z of the scope's boundary, which is found again where kernels masked the weight.</summary>
    private Tensor Logit(Tensor weight)
    {
        if (_threshold is null)
        {
            var (threshold, temperature, _) = mask.BoundaryOf(weight);
            Own(ref _threshold, threshold);
            Own(ref _temperature, temperature);
        }

        return mask.LogitOf(weight, _threshold!, _temperature!);
    }

    /// <summary>ŵ in a form, with subnormal numbers as zeros.</summary>
    private Tensor FormOf(MaskForm form, Tensor weight, Tensor logit)
    {
        var masked = form == MaskForm.Raw ? weight.clone() : mask.Strategy.Spread(SoftMask.Mask(logit), mask.Layout).mul(weight);
        if (form != MaskForm.Soft)
            masked.mul_(Kept(weight));
        return masked.mul_(masked.abs().ge_(_smallestNormal));
    }

    private static void Own(ref Tensor? field, Tensor value)
    {
        field?.Dispose();
        field = value.DetachFromDisposeScope();
    }
}
