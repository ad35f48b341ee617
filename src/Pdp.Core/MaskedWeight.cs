using Pdp.Internal;
using Pdp.Kernels;
using Pdp.Masks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>A parameter of the model and its mask: puts ŵ in the place of w, and back, with the gradient through the mask.</summary>
/// <remarks>Owns a copy of the dense weight from the first masked step on. The parameter itself changes only in place.</remarks>
internal sealed class MaskedWeight : IMaskedWeight
{
    private readonly Parameter _parameter;
    private readonly Attachment _attachment;
    private readonly EarlierGradient _earlier;
    private readonly StepChecks _checks;
    private readonly Scalar _smallestNormal;
    private readonly FusedWeight? _fused;
    private Tensor? _dense;
    private Tensor? _kept;
    private Tensor? _threshold;
    private Tensor? _temperature;
    private MaskForm _form;
    private bool _isInside;

    public MaskedWeight(Parameter parameter, PdpMask mask)
    {
        _parameter = parameter;
        _attachment = new($"'{mask.Name}'", parameter);
        _earlier = new(parameter);
        _checks = new($"'{mask.Name}'", parameter.device_type);
        Type = parameter.dtype;
        _smallestNormal = Precision.SmallestNormalOf(Type).ToScalar();
        Mask = mask;
        _fused = FusedWeight.For(parameter, mask);
    }

    public PdpMask Mask { get; }

    public IFusedWeight? Fused => _fused;

    public ScalarType Type { get; }

    public Tensor? Frozen => _kept;

    private bool IsIdentity => Mask.Removed == 0 && _kept is null;

    public Tensor Value() => _parameter.detach();

    public void RequireAttached() => _attachment.Require();

    /// <remarks>Kernels only take note of the weight here; <see cref="FusedModel"/> then enters all that they have.</remarks>
    public void Enter(MaskForm form)
    {
        if (IsIdentity)
            return;

        _form = form;
        if (form == MaskForm.Soft && _kept is null && _fused?.Claim(_dense ??= NewDense()) == true)
        {
            ForgetBoundary();
            return;
        }

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (_kept is not null)
            _parameter.mul_(_kept);
        else
            Replace();
        _earlier.SetAside();
        _isInside = true;
    }

    public string? Leave(out bool gradientArrived)
    {
        gradientArrived = false;
        if (_fused is { IsClaimed: true })
            return FinishFused(out gradientArrived);
        if (!_isInside)
            return null;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _isInside = false;
        var changed = _kept is null && PutBack();
        gradientArrived = CorrectGradient();
        return changed ? _checks.ChangedInside : null;
    }

    public bool ChangedSinceLeft()
    {
        if (_dense is null || _kept is not null)
            return false;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return _parameter.ne(_dense).any().cpu().ReadCpuBool(0);
    }

    public string? TakeDeferredFault() => _checks.Take();

    public void RequireFinite()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (!_parameter.isfinite().all().cpu().ReadCpuBool(0))
            throw new InvalidOperationException(Faults.NotFinite($"'{Mask.Name}'"));
    }

    public void Commit(MaskForm form)
    {
        if (IsIdentity)
            return;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (_kept is null)
        {
            var wide = Precision.Widen(_parameter);
            var kept = Mask.Kept(_parameter);
            _parameter.copy_(FormOf(form, wide, kept, Mask.BoundaryOf(wide).Logit));
            Freeze(kept);
        }
        else
        {
            _parameter.mul_(_kept);
        }
    }

    public void Restore(bool isCommitted)
    {
        using var scope = NewDisposeScope();
        if (isCommitted && Mask.Removed > 0)
            Freeze(Mask.Kept(_parameter));
        else
            Thaw();
    }

    public void Dispose()
    {
        _dense?.Dispose();
        _kept?.Dispose();
        _threshold?.Dispose();
        _temperature?.Dispose();
        _earlier.Dispose();
        _checks.Dispose();
        _smallestNormal.Dispose();
        _fused?.Dispose();
    }

    private void Thaw()
    {
        _kept?.Dispose();
        _kept = null;
    }

    private void Freeze(Tensor kept)
    {
        Thaw();
        _kept = kept.DetachFromDisposeScope();
        _dense?.Dispose();
        _dense = null;
    }

    private Tensor NewDense()
    {
        using var scope = NewDisposeScope();
        return _parameter.detach().clone().DetachFromDisposeScope();
    }

    /// <summary>Takes what the kernels report.</summary>
    private string? FinishFused(out bool gradientArrived)
    {
        var fused = _fused!;
        gradientArrived = fused.GradientArrived;
        fused.Release();
        if (!fused.IsRestored || fused.LeavesGradient)
            FinishWithTensors(fused);
        return fused.IsRestored && !fused.IsChanged ? null : _checks.ChangedInside;
    }

    /// <summary>Does what the kernels had to leave.</summary>
    private void FinishWithTensors(FusedWeight fused)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _earlier.Take(fused.TakeGradientBefore());
        if (!fused.IsRestored)
            _parameter.copy_(_dense!);
        CorrectGradient();
    }

    /// <summary>The threshold and τ of this scope, for a weight that kernels masked.</summary>
    private void RecallBoundary(Tensor wide)
    {
        if (_threshold is not null)
            return;

        var (threshold, temperature, _) = Mask.BoundaryOf(wide);
        Own(ref _threshold, threshold);
        Own(ref _temperature, temperature);
    }

    private void ForgetBoundary()
    {
        _threshold?.Dispose();
        _temperature?.Dispose();
        (_threshold, _temperature) = (null, null);
    }

    private void Replace()
    {
        _dense ??= NewDense();
        _dense.copy_(_parameter);
        var wide = Precision.Widen(_dense);
        var (threshold, temperature, logit) = Mask.BoundaryOf(wide);
        _checks.RequireFinite(wide.abs().max().isfinite());

        Own(ref _threshold, threshold);
        Own(ref _temperature, temperature);
        _parameter.copy_(FormOf(_form, wide, KeptFor(wide), logit));
    }

    /// <summary>Writes w back; true if ŵ had been changed.</summary>
    private bool PutBack()
    {
        var wide = Precision.Widen(_dense!);
        using var masked = FormOf(_form, wide, KeptFor(wide), Mask.LogitOf(wide, _threshold!, _temperature!)).to_type(Type);
        var changed = _checks.NoteChanged(_parameter.ne(masked).any());
        _parameter.copy_(_dense!);
        return changed;
    }

    private bool CorrectGradient()
    {
        var arrived = _parameter.grad;
        arrived?.copy_(Corrected(Precision.Widen(arrived)));
        _earlier.PutBack();
        return arrived is not null;
    }

    private Tensor Corrected(Tensor upstream)
    {
        if (_kept is not null)
            return upstream.mul(_kept);

        var wide = Precision.Widen(_dense!);
        if (_form == MaskForm.Raw)
            return upstream.mul(KeptFor(wide)!);

        RecallBoundary(wide);
        var logit = Mask.LogitOf(wide, _threshold!, _temperature!);
        var gradient = SoftMask.Gradient(wide, upstream, logit, _temperature!, Mask.Strategy, Mask.Layout);
        return KeptFor(wide) is { } kept ? gradient.mul_(kept) : gradient;
    }

    private Tensor? KeptFor(Tensor wide) => _form == MaskForm.Soft ? null : Mask.Kept(wide);

    /// <summary>ŵ in a form, with subnormal numbers as zeros.</summary>
    private Tensor FormOf(MaskForm form, Tensor wide, Tensor? kept, Tensor logit)
    {
        var masked = form == MaskForm.Raw ? wide.clone() : Mask.Strategy.Spread(SoftMask.Mask(logit), Mask.Layout).mul(wide);
        if (kept is not null)
            masked.mul_(kept);
        return masked.mul_(masked.abs().ge_(_smallestNormal));
    }

    private static void Own(ref Tensor? field, Tensor value)
    {
        field?.Dispose();
        field = value.DetachFromDisposeScope();
    }
}
