using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Conformance;

/// <summary>Models with given weights, pruned to their target at once.</summary>
internal static class OneStep
{
    /// <summary>Options that ask for the whole target in epoch 0, with masks that are 0 or 1.</summary>
    public static PdpOptions Options(double? sparsity = null) => new()
    {
        Epochs = 1,
        Sparsity = sparsity,
        Schedule = new ConstantSparsity(),
        Temperature = Making.Sharp,
    };

    /// <summary>A pruner that stands at its target.</summary>
    public static PdpPruner Begun(Module model, PdpOptions options)
    {
        var pruner = new PdpPruner(model, options);
        pruner.BeginEpoch(0);
        return pruner;
    }

    public static Linear LinearOf(IReadOnlyList<double> weights, int outputs)
    {
        var layer = Linear(weights.Count / outputs, outputs, hasBias: false);
        Tensors.Fill(layer.weight!, weights);
        return layer;
    }

    public static Conv2d Conv2dOf(IReadOnlyList<double> weights, int outputs, int kernel)
    {
        var layer = Conv2d(weights.Count / (outputs * kernel * kernel), outputs, kernel, bias: false);
        Tensors.Fill(layer.weight!, weights);
        return layer;
    }

    /// <summary>The weights that a forward pass would see.</summary>
    public static double[] Masked(PdpPruner pruner, Tensor weight)
    {
        using var _ = no_grad();
        using (pruner.Mask())
            return weight.Values();
    }

    public static double[] Linspace(double from, double to, int count) =>
        [.. Enumerable.Range(0, count).Select(i => from + ((to - from) * i / (count - 1)))];

    public static int NonZeros(IEnumerable<double> values) => values.Count(value => value != 0);
}
