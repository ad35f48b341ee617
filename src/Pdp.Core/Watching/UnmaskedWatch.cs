using System.Globalization;

namespace Pdp.Watching;

/// <summary>Sees whether a whole epoch of pruning is trained without a mask scope, in which nothing would be pruned.</summary>
/// <remarks>
/// A scope in which no gradient arrives is no training scope: it may be an evaluation. Where such scopes are all there is, the weights must
/// also have been stepped with gradients, as layers may rest for a time and weights may be loaded.
/// </remarks>
internal sealed class UnmaskedWatch
{
    private double? _since;
    private bool _hasScopes;
    private bool _hasSteps;

    public void Begin(double epoch, bool isPruning)
    {
        if (!isPruning)
            _since = null;
        else if (_since is null)
            (_since, _hasScopes, _hasSteps) = (epoch, false, false);
    }

    /// <summary>Takes note of a scope that begins.</summary>
    public void Enter() => _hasScopes = true;

    /// <summary>Takes note of a scope in which a gradient arrived.</summary>
    public void Trained() => _since = null;

    /// <summary>Takes note of a step of the optimizer.</summary>
    public void Stepped() => _hasSteps = true;

    public void Reset() => _since = null;

    /// <summary>Checks that no whole epoch went by until this one.</summary>
    public void Require(double epoch)
    {
        if (_since is { } since && epoch - since >= 1 && (_hasSteps || !_hasScopes))
            Throw(since);
    }

    /// <summary>Checks that no training without a scope came last.</summary>
    public void RequireMasked()
    {
        if (_since is { } since && _hasSteps)
            Throw(since);
    }

    private void Throw(double since)
    {
        _since = null;
        var scopes = _hasScopes ? " (no gradient arrived in those that were opened)" : "";
        throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Epoch {since} went by without a mask scope for training{scopes}, so nothing was pruned in it: put forward and backward into 'using (pruner.Mask()) {{ … }}'."));
    }
}
