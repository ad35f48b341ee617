using Pdp.Layers;
using Pdp.Masking;
using Pdp.Reporting;
using Pdp.Watching;
using TorchSharp;

namespace Pdp;

/// <summary>Opens and closes mask scopes, one at a time, on weights that no other pruner has.</summary>
/// <param name="model">What is masked.</param>
/// <param name="watch">Looks for misuse.</param>
/// <param name="meter">Is told of steps, if there is one.</param>
internal sealed class ScopeGate(MaskedModel model, MisuseWatch watch, PrunerMeter? meter) : IDisposable
{
    private long _scopes;
    private bool _isOpen;
    private bool _hasWeights;

    /// <summary>Opens a scope; the weights are dense after an exception.</summary>
    /// <returns>Its number.</returns>
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
            // Nobody else has the scope to end it.
            Close(_scopes);
            throw;
        }

        return _scopes;
    }

    /// <summary>Ends the scope of a number, if it is the open one; never throws.</summary>
    public void Close(long number)
    {
        if (!_isOpen || number != _scopes)
            return;

        _isOpen = false;
        watch.LeaveWitnesses();
        model.LeaveKernels();
        var gradients = false;
        // Backwards: where two masks share a norm, the first in holds its earlier gradient.
        for (var i = model.Layers.Length - 1; i >= 0; i--)
            gradients |= watch.Leave(model.Layers[i].Group);
        watch.Left(gradients);
    }

    /// <summary>Checks that no scope is open.</summary>
    public void RequireClosed()
    {
        if (_isOpen)
            throw new InvalidOperationException("A mask scope is open: dispose it first, as in 'using (pruner.Mask()) { … }'; scopes don't nest.");
    }

    /// <summary>Takes the weights for this pruner alone, once.</summary>
    public void TakeWeights()
    {
        if (_hasWeights)
            return;

        Ownership.Take(this, model.Layers.SelectMany(layer => layer.Group.Parameters.Select(parameter => (layer.Mask.Name, parameter))));
        _hasWeights = true;
    }

    /// <summary>Gives the weights up, for another pruner.</summary>
    public void GiveUpWeights() => Ownership.Release(this);

    public void Dispose()
    {
        Close(_scopes);
        GiveUpWeights();
    }
}
