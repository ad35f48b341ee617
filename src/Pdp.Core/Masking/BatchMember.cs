using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>A weight that goes through scopes in a batch.</summary>
/// <remarks>Owns the gradients that are set aside while a scope is open.</remarks>
internal sealed class BatchMember(BatchScope batch, MaskGroup group) : IDisposable
{
    private readonly EarlierGradients _earlier = new(group.Slices.Parameters);
    private readonly VersionNote _left = new(group.Slices.Parameters);
    private bool _gradientArrived;
    private bool _isChanged;

    public MaskGroup Group => group;

    /// <summary>The values now; in the caller's scope.</summary>
    public Tensor Value => Weight.detach();

    /// <summary>Whether the weight may be other than it was left.</summary>
    public bool MayHaveChanged => _left.MayDiffer;

    /// <summary>Whether the weight was disposed of inside the scope.</summary>
    public bool IsLost => Weight.IsInvalid;

    private Parameter Weight => group.Slices.Lone!;

    /// <summary>Takes the weight into the batch's next scope.</summary>
    public void Claim()
    {
        (_gradientArrived, _isChanged) = (false, false);
        group.Join(this);
    }

    /// <summary>Sets the gradient from before the scope aside.</summary>
    public void SetGradientAside() => _earlier.SetAside();

    public void Write(Tensor values) => Weight.copy_(values);

    /// <summary>Notes the state in which the weight is left to the user.</summary>
    public void Entered() => _left.Take();

    /// <summary>Notes whether the weight was no longer ŵ at the end of the scope, a 0-dimensional bool.</summary>
    public void NoteChanged(Tensor isChanged) => _isChanged = group.Checks.NoteChanged(isChanged);

    /// <summary>The dense gradient that has arrived, in the caller's scope; null if none has.</summary>
    public Tensor? FindGradient()
    {
        var gradient = DenseGradient.Of(Weight);
        _gradientArrived = gradient is not null;
        return gradient;
    }

    /// <summary>Adds the gradient from before the scope.</summary>
    public void AddEarlierGradient() => _earlier.PutBack();

    /// <summary>Puts the gradient from before the scope in the place of one that couldn't be corrected.</summary>
    public void RescueEarlierGradient() => _earlier.Rescue();

    /// <summary>Ends the scope, for the whole batch when its first weight leaves.</summary>
    /// <param name="gradientArrived">Whether a gradient of this weight arrived inside.</param>
    /// <returns>What is known to have gone wrong inside; null if nothing is.</returns>
    public string? Leave(out bool gradientArrived)
    {
        gradientArrived = false;
        batch.Leave();
        gradientArrived = _gradientArrived;
        return _isChanged ? group.Checks.ChangedInside : null;
    }

    public void Dispose() => _earlier.Dispose();
}
