using Pdp.Internal;
using Pdp.Methods;
using Pdp.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>A parameter of the model and its mask: puts ŵ in the place of w, and back, with the gradient through the mask.</summary>
/// <remarks>Owns a copy of the dense weight from the first masked step on. The parameter itself changes only in place.</remarks>
internal sealed class MaskedWeight : IMaskedWeight
{
    private readonly Parameter _parameter;
    private readonly Attachment _attachment;
    private readonly EarlierGradient _earlier;
    private readonly StepChecks _checks;
    private IMaskRule _rule;
    private FusedWeight? _fused;
    private Tensor? _dense;
    private Tensor? _kept;
    private MaskForm _form;
    private bool _isInside;
    private bool _isNewStep = true;

    public MaskedWeight(Parameter parameter, PdpMask mask)
    {
        _parameter = parameter;
        _attachment = new($"'{mask.Name}'", parameter);
        _earlier = new(parameter);
        _checks = new($"'{mask.Name}'", parameter.device_type);
        Type = parameter.dtype;
        Mask = mask;
        _rule = new SoftRule(mask, Type);
        _fused = FusedWeight.For(parameter, mask);
    }

    public PdpMask Mask { get; }

    public IReadOnlyList<Parameter> Parameters => [_parameter];

    public bool IsMasking => !IsIdentity || _rule.Observes;

    public IFusedWeight? Fused => _fused;

    public ScalarType Type { get; }

    public Tensor? Frozen => _kept;

    public bool IsSoft => _kept is null && _rule is SoftRule;

    private bool IsIdentity => _rule.IsIdentity && _kept is null;

    public MethodLayer AsLayer() => new(Mask, _parameter);

    public void Follow(IMethodRun run, int number)
    {
        _rule.Dispose();
        _fused?.Dispose();
        _rule = new MethodRule(Mask, run, number);
        _fused = null;
    }

    public void Follow(IImportance importance)
    {
        _fused?.Dispose();
        _fused = null;
        Mask.Importance = new(importance, Mask.Layout.Dimensions);
    }

    public Tensor Magnitude()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Mask.MagnitudeOf(Precision.Widen(_parameter)).MoveToOuterDisposeScope();
    }

    public Tensor Value() => _parameter.detach();

    public Tensor Kept()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return _rule.Kept(Precision.Widen(_parameter)).MoveToOuterDisposeScope();
    }

    public void RequireAttached() => _attachment.Require();

    /// <remarks>Kernels only take note of the weight here; <see cref="FusedModel"/> then enters all that they have.</remarks>
    public void Enter(MaskForm form)
    {
        if (!IsMasking)
            return;

        _form = form;
        if (form == MaskForm.Soft && _kept is null && _fused?.Claim(_dense ??= NewDense()) == true)
        {
            _rule.Forget();
            return;
        }

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (_kept is not null)
            Zeros.WriteOutside(_kept, _parameter);
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
        _rule.Forget();
        return changed ? _checks.ChangedInside : null;
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
            var kept = _rule.Kept(wide);
            _parameter.copy_(Zeros.Outside(kept, _rule.Enter(wide, form)));
            _rule.Forget();
            Freeze(kept);
        }
        else
        {
            Zeros.WriteOutside(_kept, _parameter);
        }
    }

    public void Restore(Tensor? kept)
    {
        using var scope = NewDisposeScope();
        if (kept is null)
            Thaw();
        else
            Freeze(Mask.Strategy.Spread(kept.to(_parameter.device), Mask.Layout).expand(Mask.Layout.Dimensions).clone());
    }

    public void Dispose()
    {
        _dense?.Dispose();
        _kept?.Dispose();
        _rule.Dispose();
        _earlier.Dispose();
        _checks.Dispose();
        _fused?.Dispose();
        Mask.Importance?.Dispose();
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
        using var _ = inference_mode(false);
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

    private void Replace()
    {
        _dense ??= NewDense();
        if (_rule.CountsSteps && !_isNewStep)
            _isNewStep = _parameter.ne(_dense).any().cpu().ReadCpuBool(0);
        _dense.copy_(_parameter);
        var wide = Precision.Widen(_dense);
        _checks.RequireFinite(wide.abs().max().isfinite());
        _parameter.copy_(_rule.Enter(wide, _form));
    }

    /// <summary>Writes w back; true if ŵ had been changed.</summary>
    private bool PutBack()
    {
        var wide = Precision.Widen(_dense!);
        var masked = _rule.Again(wide, _form).to_type(Type);
        var changed = _checks.NoteChanged(_parameter.ne(masked).any());
        _parameter.copy_(_dense!);
        return changed;
    }

    private bool CorrectGradient()
    {
        try
        {
            var arrived = DenseGradient.Of(_parameter);
            if (arrived is not null)
                CountStep();
            arrived?.copy_(Corrected(Precision.Widen(arrived)));
            _earlier.PutBack();
            return arrived is not null;
        }
        catch
        {
            _earlier.Rescue();
            throw;
        }
    }

    /// <summary>Tells the rule of an optimizer's step, which shows in the weight, or in a gradient that was taken or zeroed.</summary>
    private void CountStep()
    {
        if (!_rule.CountsSteps || _kept is not null || !(_isNewStep || _earlier.IsZero()))
            return;

        _isNewStep = false;
        _rule.BeginStep();
    }

    private Tensor Corrected(Tensor upstream) =>
        _kept is null ? _rule.Gradient(Precision.Widen(_dense!), upstream, _form) : upstream.mul(_kept);
}
