using Pdp.Baselines.Internal;
using Pdp.Masks;
using Pdp.Methods;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Baselines.Runs;

/// <summary>Scores θ beside the weights: ŵ = M·w with the largest θ kept, ∂L/∂w = g·M, and straight-through to all scores, ∂L/∂θ = g·w.</summary>
/// <remarks>Here each layer ranks for itself, in every step. A channel has one score, whose gradient is the sum over what its mask multiplies.</remarks>
internal class ScoreRun(IReadOnlyList<MethodLayer> layers) : HardMaskRun(layers)
{
    private readonly Parameter[] _scores = [.. layers.Select(layer => Learned.Beside(layer, ShapeOf(layer.Mask), start: 0))];

    public override IReadOnlyList<(string Name, Parameter Parameter)> Parameters =>
        [.. Layers.Zip(_scores, (layer, score) => ($"{layer.Mask.Name}.score", score))];

    public override Tensor Backward(int layer, Tensor weight, Tensor upstream)
    {
        using var scope = NewDisposeScope();
        Learned.AddGradient(_scores[layer], upstream.mul(weight));
        return base.Backward(layer, weight, upstream).MoveToOuterDisposeScope();
    }

    public override void GateGradient(int layer, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        var score = _scores[layer];
        Learned.AddGradient(score, gradient.to(score.device).to_type(score.dtype).clone());
    }

    protected override Tensor Score(int layer, Tensor weight) => Score(layer).to(weight.device);

    /// <summary>θ of a layer, <c>[1, members]</c>, where it is kept.</summary>
    protected Tensor Score(int layer) => _scores[layer].reshape(1, -1);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        foreach (var score in _scores)
            score.Dispose();
    }

    private static long[] ShapeOf(PdpMask mask) => mask.Strategy is Channel ? [1, mask.Members] : [.. mask.Layout.Shape];
}
