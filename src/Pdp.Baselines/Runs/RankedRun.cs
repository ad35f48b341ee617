using static TorchSharp.torch;

namespace Pdp.Baselines.Runs;

/// <summary>A hard mask of channels by a ranking that is computed once, when pruning begins and the weights are still dense.</summary>
/// <param name="layers">The layers.</param>
/// <param name="rank">Computes the ranking: scores of the channels, by the layer's name.</param>
internal sealed class RankedRun(IReadOnlyList<MethodLayer> layers, Func<IReadOnlyDictionary<string, IReadOnlyList<double>>> rank)
    : HardMaskRun(layers)
{
    private IReadOnlyDictionary<string, IReadOnlyList<double>>? _scores;

    public override void Begin(double epoch)
    {
        if (_scores is null && Layers.Any(layer => layer.Mask.Removed > 0))
            _scores = rank();
    }

    protected override bool IsStale(int layer) => Layers[layer].Mask.Removed != Removed(layer);

    protected override Tensor Score(int layer, Tensor weight)
    {
        var mask = Layers[layer].Mask;
        if (mask.Removed == 0)
            return base.Score(layer, weight);
        if (_scores is null)
            throw new InvalidOperationException($"The channels of '{mask.Name}' have not been ranked: call BeginEpoch(epoch) again.");

        double[] scores = [.. _scores[mask.Name]];
        return tensor(scores, dtype: ScalarType.Float64, device: weight.device).reshape(1, -1);
    }
}
