using Pdp.Internal;
using Pdp.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Everything under one mask: replaces w by ŵ, puts w back, and computes the gradient through the mask.</summary>
/// <remarks>
/// It is a weight, or the filters of tied channels with their biases and norms (<see cref="GroupSlices"/>). The mask is PDP's or a method's
/// (<see cref="IMaskRule"/>). A <see cref="MemoryScope"/>, where there is one, does the same faster. The parameters change only in
/// place.
/// </remarks>
internal sealed class MaskGroup : IDisposable
{
    private readonly string _subject;
    private readonly ParameterPlaces _places;
    private readonly StepChecks _checks;
    private readonly TensorScope _scope;
    private IMaskRule _rule;
    private BatchMember? _member;
    private MemoryScope? _soft;
    private MemoryScope? _committed;

    public MaskGroup(PdpMask mask, GroupSlices slices)
    {
        Mask = mask;
        Slices = slices;
        Type = Parameters[0].dtype;
        _subject = Parameters.Count > 1 ? $"'{mask.Name}' or what is tied to it" : $"'{mask.Name}'";
        _places = new(_subject, slices.Parameters);
        _checks = new(_subject, Parameters[0].device_type);
        _scope = new(mask, slices, _checks);
        _rule = new SoftRule(mask, slices);
        _soft = MemoryScope.For(_subject, mask, slices);
    }

    public PdpMask Mask { get; }

    /// <summary>The group's name in messages.</summary>
    public string Subject => _subject;

    /// <summary>The checks of each step.</summary>
    public StepChecks Checks => _checks;

    public GroupSlices Slices { get; }

    /// <summary>The parameters that the scope writes to, those that make the scores first.</summary>
    public IReadOnlyList<Parameter> Parameters => Slices.Parameters;

    /// <summary>The type of the weights.</summary>
    public ScalarType Type { get; }

    /// <summary>What can take it through a scope in its memory; null if tensor operations do the work. A commit changes it.</summary>
    public MemoryScope? Memory => Frozen is null ? _soft : _committed;

    /// <summary>The hard mask in force since commit, <c>[groups, members]</c>; null before.</summary>
    public Tensor? Frozen { get; private set; }

    /// <summary>Whether the mask is PDP's and not final yet.</summary>
    public bool IsSoft => Frozen is null && _rule.IsSoft;

    /// <summary>Whether a scope changes anything, or learns from its gradients, and so sets earlier ones aside.</summary>
    public bool IsMasking => !IsIdentity || _rule.Observes;

    private bool IsIdentity => _rule.IsIdentity && Frozen is null;

    /// <summary>Replaces PDP's mask by that of a method; before the first scope.</summary>
    public void Follow(IMaskRule rule)
    {
        _rule.Dispose();
        _rule = rule;
        DropMemory();
    }

    /// <summary>Lets the weights compete by an importance instead of magnitude; before the first scope.</summary>
    public void Follow(IImportance importance)
    {
        Mask.Importance = new(importance, Mask.Layout.Dimensions);
        DropMemory();
        _soft = MemoryScope.For(_subject, Mask, Slices);
    }

    /// <summary>The magnitudes that compete, <c>[groups, members]</c>; the caller's.</summary>
    public Tensor Magnitude() => Measured(Mask.MagnitudeOf);

    /// <summary>The current hard mask, <c>[groups, members]</c>; the caller's.</summary>
    public Tensor Kept() => Measured(_rule.Kept);

    /// <summary>The weights that make the scores, in the mask's layout; the caller's.</summary>
    public Tensor Value() => Slices.Weight();

    /// <summary>Checks that the parameters are still the ones that were attached.</summary>
    public void RequireAttached() => _places.Require();

    /// <summary>Checks that all weights are finite; waits for the device.</summary>
    public void RequireFinite()
    {
        if (!IsFinite())
            throw new InvalidOperationException(Faults.NotFinite(_subject));
    }

    /// <summary>Whether all weights are finite; waits for the device.</summary>
    public bool IsFinite()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Parameters.All(parameter => parameter.isfinite().all().cpu().ReadCpuBool(0));
    }

    /// <summary>Leaves the next scope to a batch, which enters it with all its weights.</summary>
    public void Join(BatchMember member)
    {
        _member = member;
        Forget();
    }

    /// <summary>Sets the gradients aside and replaces w by ŵ.</summary>
    /// <remarks>A <see cref="MemoryScope"/> only claims the group here; <see cref="MemoryScopes"/> then enters all claimed ones.</remarks>
    /// <exception cref="InvalidOperationException">A value is not finite; nothing has changed then.</exception>
    public void Enter(MaskForm form)
    {
        if (!IsMasking || _member is not null)
            return;

        if ((form == MaskForm.Soft || Frozen is not null) && Memory?.Claim() == true)
            Forget();
        else
            _scope.Enter(_rule, form, Frozen);
    }

    /// <summary>Puts w back and turns ∂L/∂ŵ into ∂L/∂w.</summary>
    /// <param name="gradientArrived">Whether a gradient arrived inside.</param>
    /// <returns>What went wrong inside; null if nothing did.</returns>
    public string? Leave(out bool gradientArrived)
    {
        if (_member is { } member)
        {
            _member = null;
            return member.Leave(out gradientArrived);
        }

        if (Memory is not { IsClaimed: true } memory)
            return _scope.Leave(_rule, Frozen, out gradientArrived);

        memory.Release();
        gradientArrived = memory.GradientArrived;
        if (memory.LeavesGradient)
        {
            _scope.Finish(_rule, memory, Frozen);
            Forget();
        }

        return memory.IsRestored && !memory.IsChanged ? null
            : Frozen is null ? _checks.ChangedInside
            : _scope.KeepZeros(Frozen);
    }

    /// <summary>The fault that devices other than the CPU have recorded since the last call; null if there is none.</summary>
    public string? TakeDeferredFault() => _checks.Take();

    /// <summary>Fixes the hard mask and writes exact zeros; the copy of the dense weights is released.</summary>
    public void Commit(MaskForm form)
    {
        if (IsIdentity)
            return;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (Frozen is not null)
        {
            Slices.WriteZeros(Frozen);
            return;
        }

        var dense = _scope.SetAside(_rule);
        var masked = _rule.Enter(dense, form);
        var kept = _rule.Kept(dense.Weight);
        Slices.Write(masked with { Weight = Zeros.Outside(Mask.Strategy.Spread(kept, Mask.Layout), masked.Weight) });
        Freeze(kept);
    }

    /// <summary>Restores the hard mask, <c>[groups, members]</c>, of a saved commit; null makes the mask soft again.</summary>
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
        DropMemory();
    }

    private void DropMemory()
    {
        _soft?.Dispose();
        _soft = null;
    }

    private void Freeze(Tensor? kept)
    {
        Frozen?.Dispose();
        Frozen = kept?.DetachFromDisposeScope();
        _committed?.Dispose();
        _committed = Frozen is null ? null : MemoryScope.ForCommitted(_subject, Mask, Slices, Frozen);
        _soft?.Forget();
        Forget();
    }

    /// <summary>Releases what tensor operations have set aside; a <see cref="MemoryScope"/> releases its own.</summary>
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
