using Pdp.Masking;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Tests.Masking;

/// <summary>Small layers for batches, and a masked step on them.</summary>
internal static class BatchLayers
{
    private static readonly long[][] Shapes = [[8, 16], [4, 8, 3, 3], [33, 24], [2, 8], [5, 16, 1, 1]];

    public static MaskedModel Batched(PrunedLayer[] layers) => new(layers, [new BatchScope(layers.Select(layer => layer.Group))]);

    public static PrunedLayer[] Model(string strategy, ScalarType type, string temperature, string? gradient) =>
    [
        .. Shapes.Index().Select(shape => Layer(
            $"{shape.Index}", shape.Item, strategy == "unstructured" ? new Unstructured() : NofM.Parse(strategy), type,
            temperature == "absolute" ? Temperature.Absolute(0.3) : Temperature.Relative(double.Parse(temperature)),
            gradient is null ? null : Temperature.Relative(double.Parse(gradient)), target: null, values: null)),
    ];

    public static PrunedLayer Layer(
        string name, long[] shape, IMaskStrategy strategy, ScalarType type, Temperature temperature, Temperature? gradient, long? target,
        Func<int, double>? values)
    {
        var layout = new WeightLayout(shape);
        var numbers = values is null
            ? Tensors.Normal(name[0], layout.Elements)
            : [.. Enumerable.Range(0, (int)layout.Elements).Select(values)];
        var members = strategy.GroupingOf(layout).Members;
        var removed = target ?? (strategy is NofM pattern ? pattern.Of - pattern.Kept : members * (3 + name[0] % 5) / 9);
        var mask = new PdpMask(name, layout, strategy, temperature, removed) { GradientTemperature = gradient };
#pragma warning disable CA2000 // The model owns the group.
        return new(new MaskGroup(mask, new GroupSlices(mask, new Parameter(Tensors.Of(numbers, shape, type)))), Rule: null);
#pragma warning restore CA2000
    }

    public static Parameter Weight(PrunedLayer layer) => layer.Group.Parameters[0];

    /// <summary>ŵ and the gradients after a step whose loss has the gradient 0.1·(1, 2, 3, …) at each ŵ.</summary>
    public static (double[][] Weights, double[][] Gradients) Step(MaskedModel model, bool isZeroed = true)
    {
        using var scope = NewDisposeScope();
        if (isZeroed)
        {
            foreach (var layer in model.Layers)
                Weight(layer).grad = null;
        }

        model.Enter(MaskForm.Soft);
        var masked = model.Layers.Select(layer => Weight(layer).Values()).ToArray();
        foreach (var layer in model.Layers)
        {
            var weight = Weight(layer);
            double[] upstream = [.. Enumerable.Range(1, (int)weight.numel()).Select(index => 0.1 * (index % 11))];
            weight.mul(Tensors.Of(upstream, weight.shape, weight.dtype)).sum().backward();
        }

        model.LeaveMemory();
        foreach (var layer in model.Layers.Reverse())
            Assert.Null(layer.Group.Leave(out var _));
        return (masked, [.. model.Layers.Select(layer => Weight(layer).grad!.Values())]);
    }
}
