using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines.Runs;

/// <summary>A hard mask M: ŵ = M·w. Derived runs define the ranking, when the mask is recomputed, and the gradient.</summary>
internal class HardMaskRun(IReadOnlyList<MethodLayer> layers) : IMethodRun
{
    private static readonly Scalar Zero = 0.ToScalar();
    private static readonly Scalar BelowAll = (-1).ToScalar();

    private readonly Tensor?[] _kept = new Tensor?[layers.Count];
    private readonly long[] _removed = new long[layers.Count];

    /// <inheritdoc/>
    public virtual IReadOnlyList<NamedParameter> Parameters => [];

    /// <inheritdoc/>
    public virtual bool CountsSteps => false;

    protected IReadOnlyList<MethodLayer> Layers => layers;

    /// <inheritdoc/>
    public virtual void Begin(double epoch)
    {
    }

    /// <inheritdoc/>
    public Tensor Forward(int layer, Tensor weight)
    {
        Refresh(layer, weight);
        return weight.mul(Spread(layer, weight));
    }

    /// <inheritdoc/>
    public virtual void BeginStep(int layer)
    {
    }

    /// <summary>The masked gradient g·M: removed weights don't learn.</summary>
    public virtual Tensor Backward(int layer, Tensor weight, Tensor upstream) => upstream.mul(Spread(layer, weight));

    /// <inheritdoc/>
    public Tensor Kept(int layer, Tensor weight)
    {
        Refresh(layer, weight);
        return _kept[layer]!.clone();
    }

    /// <inheritdoc/>
    public virtual void GateGradient(int layer, Tensor gradient)
    {
    }

    /// <inheritdoc/>
    public virtual void RequireTrained(bool isFinal)
    {
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The ranking of members, <c>[groups, members]</c>, by default their magnitude.</summary>
    protected virtual Tensor Score(int layer, Tensor weight) => layers[layer].Mask.Strategy.Magnitude(weight, layers[layer].Mask.Layout);

    /// <summary>The magnitude; removed members rank below all kept ones, even those that are 0.</summary>
    protected Tensor MagnitudeOfKept(int layer, Tensor weight)
    {
        using var scope = NewDisposeScope();
        var strategy = layers[layer].Mask.Strategy;
        var magnitude = strategy.Magnitude(weight, layers[layer].Mask.Layout);
        if (_kept[layer] is { } kept)
            magnitude.masked_fill_(kept.logical_not(), BelowAll);
        return magnitude.MoveToOuterDisposeScope();
    }

    /// <summary>Whether to recompute the mask from the current weight; by default always.</summary>
    protected virtual bool IsStale(int layer) => true;

    /// <summary>The number of members that a layer's mask removes; null if there is no mask yet.</summary>
    protected long? Removed(int layer) => _kept[layer] is null ? null : _removed[layer];

    /// <summary>Drops a mask, so that the next scope recomputes it.</summary>
    protected void Release(int layer)
    {
        _kept[layer]?.Dispose();
        _kept[layer] = null;
    }

    /// <summary>Sets a mask, <c>[groups, members]</c>, which remains the caller's.</summary>
    protected void Take(int layer, Tensor kept)
    {
        ArgumentNullException.ThrowIfNull(kept);
        Release(layer);
        _kept[layer] = kept.clone().DetachFromDisposeScope();
        _removed[layer] = layers[layer].Mask.Removed;
    }

    /// <summary>M of the last scope, in a shape that broadcasts to the weight.</summary>
    protected Tensor Spread(int layer, Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return layers[layer].Mask.Strategy.Spread(_kept[layer]!, layers[layer].Mask.Layout);
    }

    /// <summary>Writes zeros to the weights that the last mask removes; momentum may have moved them.</summary>
    protected void ZeroRemoved()
    {
        for (var layer = 0; layer < layers.Count; layer++)
        {
            if (layers[layer].Weight is { } weight && _kept[layer] is not null)
                weight.masked_fill_(Spread(layer, weight).logical_not(), Zero);
        }
    }

    /// <summary>Sets the counts to what the masks remove, whatever the schedule asks for now.</summary>
    protected void KeepCounts()
    {
        for (var layer = 0; layer < layers.Count; layer++)
            layers[layer].Remove(Removed(layer) ?? 0);
    }

    protected virtual void Dispose(bool disposing)
    {
        for (var layer = 0; layer < _kept.Length; layer++)
            Release(layer);
    }

    private void Refresh(int layer, Tensor weight)
    {
        if (_kept[layer] is not null && !IsStale(layer))
            return;

        using var scope = NewDisposeScope();
        Take(layer, layers[layer].Mask.KeptBy(Score(layer, weight)));
    }
}
