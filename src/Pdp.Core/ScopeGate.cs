using Pdp.Layers;
using Pdp.Masking;
using Pdp.Reporting;
using Pdp.Watching;
using TorchSharp;

namespace Pdp;

/// <summary>Opens and closes mask scopes, one at a time, on weights that belong to no other pruner.</summary>
/// <param name="model">The masked part of the model.</param>
/// <param name="watch">Detects misuse.</param>
/// <param name="meter">Counts the steps; null for none.</param>
internal sealed class ScopeGate(MaskedModel model, MisuseWatch watch, PrunerMeter? meter) : IDisposable
{
    private long _scopes;
    private bool _isOpen;
    private bool _hasWeights;

    /// <summary>Whether a scope is open.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Opens a scope; after an exception the weights are dense.</summary>
    /// <returns>The scope's number.</returns>
    public long Open(MaskForm form)
    {
        TakeWeights();
        watch.RequireOrder(model.IsPruning);
        if (torch.is_grad_enabled())
            meter?.Step(model.Layers);

        model.Enter(form);
        _isOpen = true;
        _scopes++;
        try
        {
            watch.Enter();
        }
        catch
        {
            // The caller never gets this scope, so it can't dispose it.
            Close(_scopes);
            throw;
        }

        return _scopes;
    }

    /// <summary>Ends the scope with a number, if it is the open one; never throws.</summary>
    public void Close(long number)
    {
        if (!_isOpen || number != _scopes)
            return;

        _isOpen = false;
        watch.LeaveGradients();
        try
        {
            Leave();
        }
#pragma warning disable CA1031 // The end of a scope must not throw; the next call will.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            watch.Note($"A mask scope could not be closed: {fault.Message}");
        }
    }

    /// <summary>Checks that no scope is open.</summary>
    public void RequireClosed()
    {
        if (_isOpen)
            throw new InvalidOperationException(
                "A mask scope is open: dispose it first, as in 'using (pruner.Mask()) { … }'; scopes don't nest.");
    }

    /// <summary>Claims the weights for this pruner alone; does nothing if it has them.</summary>
    public void TakeWeights()
    {
        if (_hasWeights)
            return;

        Ownership.Take(this, model.Layers.SelectMany(layer => layer.Group.Parameters.Select(parameter => (layer.Mask.Name, parameter))));
        _hasWeights = true;
    }

    /// <summary>Releases the weights, so that another pruner can claim them.</summary>
    public void ReleaseWeights() => Ownership.Release(this);

    public void Dispose()
    {
        Close(_scopes);
        ReleaseWeights();
    }

    private void Leave()
    {
        try
        {
            model.LeaveMemory();
        }
        finally
        {
            var gradients = false;
            // In reverse order: if two masks share a norm, the one that entered first holds the norm's earlier gradient.
            for (var i = model.Layers.Length - 1; i >= 0; i--)
                gradients |= watch.Leave(model.Layers[i].Group);
            watch.Left(gradients);
        }
    }
}
