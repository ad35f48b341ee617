using Pdp.Internal;
using Pdp.Numerics;
using Pdp.Numerics.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Takes many weights through a scope at once: the same as a <see cref="TensorScope"/> for each, in fewer operations.</summary>
/// <remarks>
/// On a GPU, an operation on a weight of usual size takes less time than the call that asks for it. For weights under PDP's soft mask by
/// magnitude, unstructured or N:M. Owns copies of what it masks while a scope is open.
/// </remarks>
internal sealed class BatchScope : IDisposable
{
    private readonly BatchMember[] _members;
    private readonly DeferredCheck _notFinite;
    private readonly Scalar _smallestNormal;
    private BatchMember[] _inside = [];
    private WeightBatch? _batch;
    private Tensor? _dense;
    private Tensor? _threshold;
    private bool _isOpen;

    /// <param name="groups">Weights of one type on one device, with one strategy.</param>
    public BatchScope(IEnumerable<MaskGroup> groups)
    {
        _members = [.. groups.Select(group => new BatchMember(this, group))];
        _notFinite = new(First.device_type);
        _smallestNormal = Precision.SmallestNormalOf(First.dtype).ToScalar();
    }

    private Parameter First => _members[0].Group.Parameters[0];

    /// <summary>The temperature of all weights inside.</summary>
    private Sharpness Sharpness => _inside[0].Group.Mask.Sharpness;

    /// <summary>The same for the gradient.</summary>
    private Sharpness GradientSharpness => _inside[0].Group.Mask.GradientSharpness ?? Sharpness;

    /// <summary>
    /// Claims the weights for the next scope that it masks softly; none where their temperatures or N:M patterns differ, so that each goes
    /// by itself.
    /// </summary>
    public void Claim(MaskForm form)
    {
        _inside = form == MaskForm.Soft ? [.. _members.Where(member => IsMasked(member.Group))] : [];
        if (_inside.DistinctBy(member => KeyOf(member.Group.Mask)).Count() > 1)
            _inside = [];
        foreach (var member in _inside)
            member.Claim();
    }

    /// <summary>Sets the gradients of all claimed weights aside and replaces w by ŵ.</summary>
    /// <exception cref="InvalidOperationException">A value is not finite; nothing has changed then.</exception>
    public void Enter()
    {
        if (_inside.Length == 0)
            return;

        using var scope = NewDisposeScope();
        using var inference = inference_mode(false);
        using var _ = no_grad();
        UpdateBatch();
        var dense = _batch!.Join(_inside.Select(member => member.Value));
        if (_notFinite.Note(dense.abs().max().isfinite().logical_not()))
            throw new InvalidOperationException(NotFinite());

        var wide = Precision.Widen(dense);
        var threshold = _batch.Threshold(wide);
        (_dense, _threshold) = (dense.DetachFromDisposeScope(), threshold.DetachFromDisposeScope());
        foreach (var member in _inside)
            member.SetGradientAside();
        _isOpen = true;
        Write(Masked(wide));
        foreach (var member in _inside)
            member.Entered();
    }

    /// <summary>Puts w back in all weights and turns ∂L/∂ŵ into ∂L/∂w, if that is still to be done.</summary>
    public void Leave()
    {
        if (!_isOpen)
            return;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _isOpen = false;
        try
        {
            if (_inside.FirstOrDefault(member => member.IsLost) is { } lost)
                RescueWithout(lost);
            PutBackAndCorrect();
        }
        finally
        {
            Release();
        }
    }

    /// <summary>The fault recorded on the device since the last call; null if there is none. Waits for the device.</summary>
    public string? TakeDeferredFault() => _notFinite.Take() ? NotFinite() : null;

    public void Dispose()
    {
        Release();
        foreach (var member in _members)
            member.Dispose();
        _batch?.Dispose();
        _notFinite.Dispose();
        _smallestNormal.Dispose();
    }

    private static bool IsMasked(MaskGroup group) => group is { IsSoft: true, Mask: { Removed: > 0, Importance: null } };

    /// <summary>What weights that are masked together have in common; sparsities may differ, except those of N:M groups.</summary>
    private static (long Removed, Sharpness Mask, Sharpness? Gradient) KeyOf(PdpMask mask) =>
        (mask.Strategy is Unstructured ? 0 : mask.Removed, mask.Sharpness, mask.GradientSharpness);

    /// <summary>Makes the batch anew if other weights are inside than last time, as when a ramp has begun to prune small ones.</summary>
    private void UpdateBatch()
    {
        PdpMask[] masks = [.. _inside.Select(member => member.Group.Mask)];
        if (_batch?.IsOf(masks) == true)
            return;

        _batch?.Dispose();
        _batch = new(masks, First.device);
    }

    private void PutBackAndCorrect()
    {
        try
        {
            PutBack();
            CorrectGradients();
        }
        catch
        {
            foreach (var member in _inside)
                member.RescueEarlierGradient();
            throw;
        }
    }

    /// <summary>Writes w back, and notes which weights were no longer ŵ.</summary>
    private void PutBack()
    {
        var suspects = _inside.Index().Where(entry => entry.Item.MayHaveChanged).ToArray();
        Tensor[] found = [];
        try
        {
            found = [.. suspects.Select(entry => entry.Item.Value.clone())];
        }
        finally
        {
            // Also where there is no memory for the copies.
            Write(_dense!);
        }

        if (suspects.Length == 0)
            return;

        var expected = _batch!.Split(Masked(Precision.Widen(_dense!)));
        foreach (var ((index, member), now) in suspects.Zip(found))
            member.NoteChanged(now.ne(expected[index].to_type(now.dtype)).any());
    }

    /// <summary>Puts back what is left when a weight has been disposed of inside the scope.</summary>
    /// <exception cref="InvalidOperationException">Always, with the name of that weight.</exception>
    private void RescueWithout(BatchMember lost)
    {
        foreach (var (member, part) in _inside.Zip(_batch!.Split(_dense!)).Where(pair => !pair.First.IsLost))
        {
            member.Write(part);
            member.RescueEarlierGradient();
        }

        throw new InvalidOperationException(Faults.Moved(lost.Group.Subject));
    }

    private void CorrectGradients()
    {
        var arrived = _inside.Select(member => member.FindGradient()).ToArray();
        if (arrived.Any(gradient => gradient is not null))
            Correct(arrived);
        foreach (var member in _inside)
            member.AddEarlierGradient();
    }

    /// <summary>Equation 5 on all weights, written over the gradients that have arrived.</summary>
    private void Correct(Tensor?[] arrived)
    {
        var upstream = _batch!.Join(arrived.Zip(_inside, (gradient, member) => gradient ?? member.Value.zeros_like()));
        var wide = Precision.Widen(_dense!);
        var boundary = _batch.BoundaryOf(wide, _threshold!, GradientSharpness);
        var arriving = Precision.Widen(upstream);
        var corrected = SoftMask.Gradient(wide, arriving, boundary, _batch.Strategy, _batch.Layout);
        if (_inside[0].Group.Mask.IsRadiallyCorrected)
            corrected = Radial.Corrected(corrected, arriving.mul(MaskOf(wide)), _batch.InUnits(wide), _batch.Totals);
        foreach (var (gradient, part) in arrived.Zip(_batch.Split(corrected)))
            gradient?.copy_(part);
    }

    /// <summary>ŵ of all weights.</summary>
    private Tensor Masked(Tensor wide) => Zeros.WithoutSubnormals(wide.mul(MaskOf(wide)), _smallestNormal);

    /// <summary>m of all weights.</summary>
    private Tensor MaskOf(Tensor wide)
    {
        var boundary = _batch!.BoundaryOf(wide, _threshold!, Sharpness);
        return _batch.Strategy.Spread(SoftMask.Mask(boundary.Logit), _batch.Layout);
    }

    private void Write(Tensor joined)
    {
        foreach (var (member, part) in _inside.Zip(_batch!.Split(joined)))
            member.Write(part);
    }

    /// <summary>Says which weights are not finite; if none is any more, that one of them was not.</summary>
    private string NotFinite()
    {
        var subjects = _members.Where(member => !member.Group.IsFinite()).Select(member => member.Group.Subject).ToArray();
        return Faults.NotFinite(subjects.Length > 0
            ? string.Join(", ", subjects)
            : $"One of {string.Join(", ", _members.Select(member => member.Group.Subject))}");
    }

    private void Release()
    {
        _dense?.Dispose();
        _threshold?.Dispose();
        (_dense, _threshold) = (null, null);
    }
}
