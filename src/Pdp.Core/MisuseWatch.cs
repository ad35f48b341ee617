using System.Globalization;
using TorchSharp;

namespace Pdp;

/// <summary>Makes silent misuse loud: remembers what went wrong in a scope, whose end must not throw, for the next call.</summary>
internal sealed class MisuseWatch
{
    private string? _fault;
    private bool _recordsGradients;
    private bool _lacksGradients;
    private double? _unmaskedSince;

    /// <summary>Throws what went wrong in the last scope, once.</summary>
    public void ThrowFault()
    {
        if (_fault is not { } fault)
            return;

        _fault = null;
        throw new InvalidOperationException(fault);
    }

    public void Reset()
    {
        _fault = null;
        _lacksGradients = false;
        _unmaskedSince = null;
    }

    /// <summary>Checks that no whole epoch of pruning went by without a scope.</summary>
    public void RequireScopes(double epoch)
    {
        if (_unmaskedSince is not { } since || epoch - since < 1)
            return;

        _unmaskedSince = null;
        throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Epoch {since} went by without a mask scope, so nothing was pruned in it: put forward and backward into 'using (pruner.Mask()) {{ … }}'."));
    }

    public void Begin(double epoch, bool isPruning) => _unmaskedSince = isPruning ? _unmaskedSince ?? epoch : null;

    /// <summary>Checks that the last scope, if it was followed by an optimizer's step, had a backward pass in it.</summary>
    public void RequireBackwardInside(IEnumerable<PrunedLayer> layers)
    {
        if (!_lacksGradients)
            return;

        _lacksGradients = false;
        if (layers.FirstOrDefault(layer => layer.Weight.ChangedSinceLeft()) is { } changed)
            throw new InvalidOperationException($"'{changed.Mask.Name}' was stepped after a mask scope in which no gradient arrived: call backward() inside the scope, and evaluate under no_grad.");
    }

    public void Enter(bool isPruning)
    {
        _recordsGradients = isPruning && torch.is_grad_enabled();
        _unmaskedSince = null;
    }

    /// <summary>Leaves one weight, and remembers what goes wrong; true if a gradient arrived.</summary>
    public bool Leave(IMaskedWeight weight)
    {
        try
        {
            _fault = weight.Leave(out var gradientArrived) ?? _fault;
            return gradientArrived;
        }
#pragma warning disable CA1031 // The end of a scope must not throw; the next call will.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            _fault = $"The mask scope of '{weight.Mask.Name}' could not be closed: {fault.Message}";
            return false;
        }
    }

    public void Left(bool gradientArrived) => _lacksGradients = _recordsGradients && !gradientArrived;

    /// <summary>Remembers a fault that a device has noted.</summary>
    public void Note(string? fault) => _fault ??= fault;
}
