using static TorchSharp.torch;

namespace Pdp.Tests.Support;

/// <summary>The equations once more, in plain numbers and plain tensor operations, to check the library against.</summary>
internal static class Oracle
{
    /// <summary>m = σ((w² − t²)/τ), in the stable form.</summary>
    public static double Mask(double weight, double threshold, double temperature)
    {
        var logit = ((weight * weight) - (threshold * threshold)) / temperature;
        return logit >= 0 ? 1 / (1 + Math.Exp(-logit)) : Math.Exp(logit) / (1 + Math.Exp(logit));
    }

    /// <summary>t = ½·(|w|₍p₎ + |w|₍p+1₎) by a full sort.</summary>
    public static double Threshold(IEnumerable<double> weights, int removed)
    {
        var sorted = weights.Select(Math.Abs).Order().ToArray();
        return (sorted[removed - 1] + sorted[removed]) / 2;
    }

    /// <summary>The weights that stay: a stable sort by magnitude, the first p go.</summary>
    public static bool[] Kept(IReadOnlyList<double> weights, long removed)
    {
        var kept = Enumerable.Repeat(true, weights.Count).ToArray();
        foreach (var i in Enumerable.Range(0, weights.Count).OrderBy(i => Math.Abs(weights[i])).Take((int)removed))
            kept[i] = false;
        return kept;
    }

    /// <summary>The flat positions of each group of M consecutive inputs, by index arithmetic alone.</summary>
    public static IEnumerable<int[]> Blocks(IReadOnlyList<long> shape, int inputDimension, int size)
    {
        var stride = (int)Tensors.Count(shape.Skip(inputDimension + 1));
        var inputs = (int)shape[inputDimension];
        for (var outer = 0; outer < (int)Tensors.Count(shape.Take(inputDimension)); outer++)
        {
            for (var inner = 0; inner < stride; inner++)
            {
                for (var first = 0; first < inputs; first += size)
                    yield return [.. Enumerable.Range(first, size).Select(input => (((outer * inputs) + input) * stride) + inner)];
            }
        }
    }

    /// <summary>
    /// ∂(Σ g·ŵ)/∂w by autograd over plain operations with t, τ and the sensitivity as constants; the scores are those of the strategy.
    /// </summary>
    public static double[] Gradient(
        Tensor weight,
        Tensor upstream,
        Tensor threshold,
        double temperature,
        IMaskStrategy strategy,
        WeightLayout layout,
        Tensor? sensitivity = null)
    {
        using var scope = NewDisposeScope();
        var leaf = weight.detach().clone().requires_grad_();
        var slope = tensor(strategy.ScoreSlope(layout), dtype: leaf.dtype);
        var tau = tensor(temperature, dtype: leaf.dtype);
        var competing = sensitivity is null ? leaf : leaf.mul(sensitivity);
        var score = strategy.Sum(competing.mul(competing), layout).mul(slope);
        var mask = score.sub(threshold.mul(threshold)).div(tau).sigmoid();
        strategy.Spread(mask, layout).mul(leaf).mul(upstream).sum().backward();
        return leaf.grad!.Values();
    }
}
