using Pdp.Internal;
using Pdp.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>What stands under one mask: puts ŵ in the place of w, and back, with the gradient through the mask.</summary>
/// <remarks>
/// A weight, or the filters of tied channels with what is masked along (<see cref="GroupSlices"/>); the mask is PDP's or a method's
/// (<see cref="IMaskRule"/>); where there are kernels (<see cref="GroupKernel"/>), they do the same faster. The parameters change only in place.
/// </remarks>
internal sealed class MaskGroup : IDisposable
{
    private readonly string _subject;
    private readonly Attachment _attachment;
    private readonly StepChecks _checks;
    private readonly TensorScope _scope;
    private IMaskRule _rule;

    public MaskGroup(PdpMask mask, GroupSlices slices)
    {
        Mask = mask;
        Slices = slices;
        Type = Parameters[0].dtype;
        _subject = Parameters.Count > 1 ? $"'{mask.Name}' or what is tied to it" : $"'{mask.Name}'";
        _attachment = new(_subject, slices.Parameters);
        _checks = new(_subject, Parameters[0].device_type);
        _scope = new(mask, slices, _checks);
        _rule = new SoftRule(mask, slices);
        Kernel = GroupKernel.For(_subject, mask, slices);
    }

    public PdpMask Mask { get; }

    public GroupSlices Slices { get; }

    /// <summary>What the scope writes to: the weights that make the scores first.</summary>
    public IReadOnlyList<Parameter> Parameters => Slices.Parameters;

    /// <summary>The type of the weights.</summary>
    public ScalarType Type { get; }

    /// <summary>The kernels that may take it through a scope; null where tensor operations do the work.</summary>
    public GroupKernel? Kernel { get; private set; }

    /// <summary>The hard mask in force since commit, <c>[groups, members]</c>; null before.</summary>
    public Tensor? Frozen { get; private set; }

    /// <summary>Whether the mask is PDP's and not final yet.</summary>
    public bool IsSoft => Frozen is null && _rule.IsSoft;

    /// <summary>Whether a scope changes anything, or learns from its gradients, and so sets earlier ones aside.</summary>
    public bool IsMasking => !IsIdentity || _rule.Observes;

    private bool IsIdentity => _rule.IsIdentity && Frozen is null;

    /// <summary>Takes the mask of a method in the place of PDP's; before the first scope.</summary>
    public void Follow(IMaskRule rule)
    {
        _rule.Dispose();
        _rule = rule;
        DropKernel();
    }

    /// <summary>Competes by an importance in place of magnitude; before the first scope.</summary>
    public void Follow(IImportance importance)
    {
        Mask.Importance = new(importance, Mask.Layout.Dimensions);
        DropKernel();
    }

    /// <summary>The magnitudes that compete, <c>[groups, members]</c>; the caller's.</summary>
    public Tensor Magnitude() => Measured(Mask.MagnitudeOf);

    /// <summary>The hard mask of now, <c>[groups, members]</c>; the caller's.</summary>
    public Tensor Kept() => Measured(_rule.Kept);

    /// <summary>The weights that make the scores, in the mask's layout; the caller's.</summary>
    public Tensor Value() => Slices.Weight();

    /// <summary>Checks that the parameters are still the ones that were attached.</summary>
    public void RequireAttached() => _attachment.Require();

    /// <summary>Checks that all weights are finite; waits for the device.</summary>
    public void RequireFinite()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (!Parameters.All(parameter => parameter.isfinite().all().cpu().ReadCpuBool(0)))
            throw new InvalidOperationException(Faults.NotFinite(_subject));
    }

    /// <summary>Sets the gradients aside and puts ŵ in the place of w.</summary>
    /// <remarks>Kernels only take note of the group here; <see cref="GroupKernels"/> then enters all that they have.</remarks>
    /// <exception cref="InvalidOperationException">A value is not finite; nothing has changed then.</exception>
    public void Enter(MaskForm form)
    {
        if (!IsMasking)
            return;

        if (form == MaskForm.Soft && Frozen is null && Kernel?.Claim() == true)
            Forget();
        else
            _scope.Enter(_rule, form, Frozen);
    }

    /// <summary>Puts w back and turns ∂L/∂ŵ into ∂L/∂w.</summary>
    /// <param name="gradientArrived">Whether a gradient arrived inside.</param>
    /// <returns>What went wrong inside; null if nothing did.</returns>
    public string? Leave(out bool gradientArrived)
    {
        if (Kernel is not { IsClaimed: true } kernel)
            return _scope.Leave(_rule, Frozen, out gradientArrived);

        kernel.Release();
        gradientArrived = kernel.GradientArrived;
        if (kernel.LeavesGradient)
        {
            _scope.Finish(_rule, kernel);
            Forget();
        }

        return kernel.IsRestored && !kernel.IsChanged ? null : _checks.ChangedInside;
    }

    /// <summary>What devices other than the CPU have noted since the last call; null if nothing.</summary>
    public string? TakeDeferredFault() => _checks.Take();

    /// <summary>Fixes the hard mask and writes exact zeros; the dense weights are given up.</summary>
    public void Commit(MaskForm form)
    {
        if (IsIdentity)
            return;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (Frozen is not null)
        {
            Slices.Silence(Frozen);
            return;
        }

        var dense = _scope.SetAside(_rule);
        var masked = _rule.Enter(dense, form);
        var kept = _rule.Kept(dense.Weight);
        Slices.Write(masked with { Weight = Zeros.Outside(Mask.Strategy.Spread(kept, Mask.Layout), masked.Weight) });
        Freeze(kept);
    }

    /// <summary>Takes the hard mask of a commit in another process, <c>[groups, members]</c>, or gives up that of a commit taken back.</summary>
    public void Restore(Tensor? kept)
    {
        using var scope = NewDisposeScope();
        Freeze(kept?.to(Parameters[0].device).clone());
    }

    public void Dispose()
    {
        Freeze(null);
        _rule.Dispose();
        _scope.Dispose();
        _checks.Dispose();
        Mask.Importance?.Dispose();
        DropKernel();
    }

    private void DropKernel()
    {
        Kernel?.Dispose();
        Kernel = null;
    }

    private void Freeze(Tensor? kept)
    {
        Frozen?.Dispose();
        Frozen = kept?.DetachFromDisposeScope();
        Kernel?.Forget();
        Forget();
    }

    /// <summary>Gives up what tensor operations have set aside, which kernels do themselves.</summary>
    private void Forget()
    {
        _rule.Forget();
        _scope.Forget();
    }

    private Tensor Measured(Func<Tensor, Tensor> measure)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return measure(Precision.Widen(Value())).MoveToOuterDisposeScope();
    }
}
