using System.Globalization;
using Pdp.Internal;

namespace Pdp.Watching;

/// <summary>
/// Detects whether a whole epoch is trained without a mask scope, so that nothing would be pruned in it, or after a commit zeros come back.
/// </summary>
/// <remarks>
/// A scope in which no gradient arrives is not a training scope: it may be an evaluation. If there are only such scopes, the weights must
/// also have been stepped with gradients, as layers may be idle for a time and weights may be loaded.
/// </remarks>
/// <param name="carriesGradient">Reads whether there is a nonzero gradient now.</param>
internal sealed class UnmaskedWatch(Func<bool> carriesGradient)
{
    private double? _since;
    private bool _isCommitted;
    private bool _hasScopes;
    private bool _hasSteps;
    private bool _mayHaveSteps;
    private bool _hasDropped;
    private bool _hasTrained;

    public void Begin(double epoch, bool isPruning)
    {
        if (!isPruning)
            _since = null;
        else if (_since is null)
            (_since, _hasScopes, _hasSteps, _mayHaveSteps, _hasDropped) = (epoch, false, false, false, false);
    }

    /// <summary>Starts over, as the masks are final: from now on the zeros have to stay.</summary>
    public void Committed(double epoch) =>
        (_since, _isCommitted, _hasScopes, _hasSteps, _mayHaveSteps, _hasDropped) = (epoch, true, false, false, false, false);

    /// <summary>Records the beginning of a scope.</summary>
    public void Enter() => _hasScopes = true;

    /// <summary>Records a scope in which a gradient arrived.</summary>
    public void Trained() => (_since, _hasTrained) = (null, true);

    /// <summary>Records a step of the optimizer.</summary>
    public void Stepped() => _hasSteps = true;

    /// <summary>Records what is a step of the optimizer if the gradient isn't zero, which was not read.</summary>
    public void MayHaveStepped() => _mayHaveSteps = true;

    /// <summary>Records a scope in which a gradient arrived and was dropped before its end.</summary>
    /// <remarks>An attack on the inputs does that in an evaluation too, but no correct loop leaves no gradient for a whole epoch.</remarks>
    public void Dropped() => _hasDropped = !_isCommitted;

    public void Reset(bool isCommitted) => (_since, _isCommitted, _hasTrained) = (null, isCommitted, true);

    /// <summary>Checks that no whole epoch has passed before this one.</summary>
    public void Require(double epoch)
    {
        if (_since + 1 <= epoch)
            Decide();
        if (_since is { } since && epoch - since >= 1 && (_hasSteps || _hasDropped || !(_hasScopes || _isCommitted)))
            Throw(since);
    }

    /// <summary>Checks that the last training was not without a scope.</summary>
    public void RequireMasked()
    {
        if (_since is not null)
            Decide();
        if (_since is { } since && (_hasSteps || (_hasDropped && !_hasTrained)))
            Throw(since);
    }

    // On a GPU a gradient is read only here, as every step would wait for it.
    private void Decide()
    {
        _hasSteps = _hasSteps || (_mayHaveSteps && carriesGradient());
        _mayHaveSteps = false;
    }

    private void Throw(double since)
    {
        _since = null;
        if (_hasDropped && !_hasSteps)
            throw new InvalidOperationException(Faults.DroppedInside(since));
        var time = since == Math.Floor(since) ? "Epoch" : "The time since epoch";
        var scopes = _hasScopes ? " (no gradient arrived in those that were opened)" : "";
        var harm = _isCommitted ? "and zeros came back" : "so nothing was pruned in it";
        var remedy = _isCommitted ? ", after a commit too" : "";
        throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
            $"{time} {since} passed without a mask scope for training{scopes}, {harm}: put forward and backward into "
            + $"'using (pruner.Mask()) {{ … }}'{remedy}."));
    }
}
