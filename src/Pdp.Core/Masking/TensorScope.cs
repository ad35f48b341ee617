using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Takes a group through a scope with tensor operations, on any device and in any type.</summary>
/// <remarks>Owns a copy of the dense values from the first masked step on.</remarks>
internal sealed class TensorScope(PdpMask mask, GroupSlices slices, StepChecks checks) : IDisposable
{
    private readonly EarlierGradients _earlier = new(slices.Parameters);
    private readonly VersionNote _left = new(slices.Parameters);
    private GroupValues? _dense;
    private MaskForm _form;
    private bool _isInside;
    private bool _isNewStep = true;

    /// <summary>Whether what was written may have been changed; on the CPU only values tell, as code may write to memory.</summary>
    private bool MayHaveChanged => slices.Parameters[0].device_type == DeviceType.CPU || _left.MayDiffer;

    /// <summary>Replaces w by ŵ, or by zeros where a committed mask removes it, and sets the gradients aside.</summary>
    /// <exception cref="InvalidOperationException">A value is not finite; nothing has changed then.</exception>
    public void Enter(IMaskRule rule, MaskForm form, Tensor? frozen)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _form = form;
        var masked = frozen is null ? rule.Enter(SetAside(rule), form) : null;
        _earlier.SetAside();
        // From here on there is something to put back, also if writing fails half way.
        _isInside = true;
        if (masked is null)
            slices.WriteZeros(frozen!);
        else
            slices.Write(masked);
        _left.Take();
    }

    /// <summary>Puts w back and corrects the gradients, if the scope was entered.</summary>
    /// <returns>What is known to have gone wrong inside; null if nothing is.</returns>
    public string? Leave(IMaskRule rule, Tensor? frozen, out bool gradientArrived)
    {
        gradientArrived = false;
        if (!_isInside)
            return null;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _isInside = false;
        try
        {
            var fault = frozen is null ? PutBack(rule) : MayHaveChanged ? KeepZeros(frozen) : null;
            gradientArrived = CorrectGradients(rule, frozen);
            return fault;
        }
        finally
        {
            rule.Forget();
        }
    }

    /// <summary>Does what a <see cref="MemoryScope"/> left undone: memory that has moved, and gradients that it doesn't support.</summary>
    public void Finish(IMaskRule rule, MemoryScope memory, Tensor? frozen)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _form = MaskForm.Soft;
        _dense = memory.Dense()?.Detached();
        _earlier.Take(memory.TakeGradientsBefore());
        if (!memory.IsRestored && _dense is not null)
            slices.Write(_dense);
        CorrectGradients(rule, frozen);
    }

    /// <summary>Says if removed weights have come back, and makes them zero again; on other devices the next scope does.</summary>
    public string? KeepZeros(Tensor frozen)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (!checks.NoteReturned(slices.AnyRemoved(frozen)))
            return null;

        slices.WriteZeros(frozen);
        return checks.ReturnedInside;
    }

    /// <summary>Takes a copy of the values; they are returned in their arithmetic types.</summary>
    /// <exception cref="InvalidOperationException">One is not finite.</exception>
    public GroupValues SetAside(IMaskRule rule)
    {
        if (rule.CountsSteps && !_isNewStep && _dense is not null)
            _isNewStep = slices.Weight().ne(_dense.Weight).any().cpu().ReadCpuBool(0);
        _dense = slices.CopyInto(_dense);
        var wide = _dense.Wide;
        checks.RequireFinite(wide.All().Select(values => values.abs().max().isfinite()).Aggregate((a, b) => a.logical_and(b)));
        return wide;
    }

    /// <summary>Releases the copy.</summary>
    public void Forget()
    {
        _dense?.Release();
        _dense = null;
    }

    public void Dispose()
    {
        Forget();
        _earlier.Dispose();
    }

    /// <summary>Writes w back, and says if ŵ had been changed.</summary>
    private string? PutBack(IMaskRule rule)
    {
        Tensor? changed = null;
        try
        {
            changed = MayHaveChanged ? Changed(rule) : null;
        }
        catch
        {
            // The gradients that arrived won't be corrected.
            _earlier.Rescue();
            throw;
        }
        finally
        {
            slices.Write(_dense!);
        }

        return changed is not null && checks.NoteChanged(changed) ? checks.ChangedInside : null;
    }

    /// <summary>Whether the values are no longer ŵ, a 0-dimensional bool.</summary>
    private Tensor Changed(IMaskRule rule)
    {
        var expected = rule.Again(_dense!.Wide, _form).All();
        return slices.Now().All()
            .Zip(expected, (now, masked) => now.ne(masked.to_type(now.dtype)).any())
            .Aggregate((a, b) => a.logical_or(b));
    }

    private bool CorrectGradients(IMaskRule rule, Tensor? frozen)
    {
        try
        {
            var arrived = slices.Gradients();
            if (arrived is not null && frozen is not null)
                slices.WriteGradients(Kept(arrived, frozen));
            else if (arrived is not null)
                Correct(rule, arrived.Wide);
            _earlier.PutBack();
            return arrived is not null;
        }
        catch
        {
            _earlier.Rescue();
            throw;
        }
    }

    private void Correct(IMaskRule rule, GroupValues upstream)
    {
        // The optimizer has stepped if the weight has changed, or the gradient was removed or zeroed.
        if (rule.CountsSteps && (_isNewStep || _earlier.AreZero()))
        {
            _isNewStep = false;
            rule.BeginStep();
        }

        slices.WriteGradients(rule.Leave(_dense!.Wide, upstream, _form));
        rule.Left();
    }

    private GroupValues Kept(GroupValues gradients, Tensor frozen)
    {
        var (weight, along) = (mask.Strategy.Spread(frozen, mask.Layout), frozen.reshape(-1, 1));
        return new(gradients.Weight.mul(weight), [.. gradients.Along.Select(gradient => gradient?.mul(along))]);
    }
}
