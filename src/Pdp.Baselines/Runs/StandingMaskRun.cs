using Pdp.Baselines.Internal;
using static TorchSharp.torch;

namespace Pdp.Baselines.Runs;

/// <summary>Hard masks that stay the same between updates; an update ranks the layers together or separately.</summary>
/// <param name="layers">The pruned layers, with strategies of single weights.</param>
/// <param name="isGlobal">Whether layers are ranked together, except those whose strategy fixes their counts.</param>
internal abstract class StandingMaskRun(IReadOnlyList<MethodLayer> layers, bool isGlobal) : HardMaskRun(layers)
{
    protected override bool IsStale(int layer) => false;

    /// <summary>Recomputes all masks with the total that the schedule asks for, and writes zeros to the weights that they remove.</summary>
    protected void TakeAll()
    {
        using var scope = NewDisposeScope();
        Tensor[] scores = [.. Layers.Select((_, layer) => Score(layer, Weight(layer)))];
        if (isGlobal)
            Divide(scores);
        for (var layer = 0; layer < Layers.Count; layer++)
            Take(layer, Layers[layer].Mask.KeptBy(scores[layer]));
        ZeroRemoved();
    }

    /// <summary>A weight in its arithmetic type, in the caller's scope.</summary>
    protected Tensor Weight(int layer)
    {
        var weight = Layers[layer].Weight!.detach();
        return weight.dtype == ScalarType.Float64 ? weight : weight.to_type(ScalarType.Float32);
    }

    /// <summary>Divides the schedule's total among the layers by the scores.</summary>
    private void Divide(Tensor[] scores)
    {
        int[] open = [.. Enumerable.Range(0, Layers.Count).Where(layer => Layers[layer].Mask.Strategy.FixedSparsity is null)];
        var counts = GlobalCut.Counts([.. open.Select(layer => scores[layer])], open.Sum(layer => Layers[layer].Mask.Removed));
        foreach (var (layer, count) in open.Zip(counts))
            Layers[layer].Remove(count);
    }
}
