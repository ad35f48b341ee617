using Pdp.Baselines.Internal;
using static TorchSharp.torch;

namespace Pdp.Baselines.Runs;

/// <summary>
/// Scores θ besides the weights: ŵ = M·w with the largest θ kept, ∂L/∂w = g·M, and straight-through to all scores, ∂L/∂θ = g·w.
/// </summary>
/// <remarks>
/// By default each layer is ranked separately, in every step. A channel has one score, whose gradient is the sum over the parameters that
/// its mask multiplies.
/// </remarks>
internal class ScoreRun(IReadOnlyList<MethodLayer> layers) : HardMaskRun(layers)
{
    private readonly Learned[] _scores = [.. layers.Select(layer => new Learned(layer, "score", ShapeOf(layer.Mask), start: 0))];
    private Learned[] _blind = [];

    public override IReadOnlyList<NamedParameter> Parameters =>
        [.. _scores.Select(score => new NamedParameter(score.Name, score.Parameter))];

    public override Tensor Backward(int layer, Tensor weight, Tensor upstream)
    {
        using var scope = NewDisposeScope();
        _scores[layer].AddGradient(upstream.mul(weight));
        return base.Backward(layer, weight, upstream).MoveToOuterDisposeScope();
    }

    public override void GateGradient(int layer, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        var score = _scores[layer].Parameter;
        _scores[layer].AddGradient(gradient.to(score.device).to_type(score.dtype).clone());
    }

    /// <remarks>Ties are broken by position, which is right only while nothing is removed.</remarks>
    public override void RequireTrained(bool isFinal)
    {
        foreach (var score in _scores)
            score.RequireFinite();
        if (Layers.All(layer => layer.Mask.Removed == 0))
            return;

        Learned.RequireMoved(_scores, isFinal, "scores", $"masks depend on position alone: {Learned.Cure}");
        RequireSeen(isFinal);
    }

    protected override Tensor Score(int layer, Tensor weight) => Score(layer).to(weight.device);

    /// <summary>θ of a layer, <c>[1, members]</c>, as it is stored.</summary>
    protected Tensor Score(int layer) => _scores[layer].Parameter.reshape(1, -1);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        foreach (var score in _scores)
            score.Dispose();
    }

    /// <summary>Checks that gradients arrive at the scores of all layers that lose something.</summary>
    /// <param name="isFinal">Whether none can arrive any more; if not, an epoch is waited in which others get some.</param>
    private void RequireSeen(bool isFinal)
    {
        Learned[] blind = [.. _scores.Where((score, i) => Layers[i].Mask.Removed > 0 && !score.HasGradient && !score.HasMoved())];
        var isFault = isFinal ? blind.Length > 0 : blind.Intersect(_blind).Any() && _scores.Any(score => score.HasGradient);
        _blind = isFault ? [] : blind;
        if (isFault)
            throw new InvalidOperationException(
                $"No gradient has arrived at the scores {string.Join(", ", blind.Select(score => $"'{score.Name}'"))}, so masks would "
                + "depend on position alone: train inside mask scopes before commit, and exclude weights that are frozen or that the loss "
                + "doesn't reach.");
    }

    private static long[] ShapeOf(PdpMask mask) => mask.Strategy is PerChannel ? [1, mask.Members] : [.. mask.Layout.Shape];
}
