using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>The checks of each step on a group: made at once on the CPU, recorded on other devices and read later.</summary>
/// <param name="weight">The group's name in messages.</param>
/// <param name="device">Its device.</param>
internal sealed class StepChecks(string weight, DeviceType device) : IDisposable
{
    private readonly DeferredCheck _notFinite = new(device);
    private readonly DeferredCheck _changedInside = new(device);
    private readonly DeferredCheck _returnedInside = new(device);

    /// <summary>The message about a change inside the scope.</summary>
    public string ChangedInside => Faults.ChangedInside(weight);

    /// <summary>What the return of removed weights inside the scope is reported as.</summary>
    public string ReturnedInside => Faults.ReturnedInside(weight);

    /// <summary>Checks a condition, a 0-dimensional bool.</summary>
    /// <exception cref="InvalidOperationException">It is known to be false.</exception>
    public void RequireFinite(Tensor isFinite)
    {
        if (_notFinite.Note(isFinite.logical_not()))
            throw new InvalidOperationException(Faults.NotFinite(weight));
    }

    /// <summary>Records whether the weight was changed inside the scope; true if it is already known to have been.</summary>
    public bool NoteChanged(Tensor isChanged) => _changedInside.Note(isChanged);

    /// <summary>Notes whether removed weights came back inside the scope; true if they are known to have.</summary>
    public bool NoteReturned(Tensor isReturned) => _returnedInside.Note(isReturned);

    /// <summary>The message about the fault recorded since the last call, if any; waits for the device.</summary>
    public string? Take() => _notFinite.Take() ? Faults.NotFinite(weight)
        : _changedInside.Take() ? ChangedInside
        : _returnedInside.Take() ? ReturnedInside
        : null;

    public void Dispose()
    {
        _notFinite.Dispose();
        _changedInside.Dispose();
        _returnedInside.Dispose();
    }
}
