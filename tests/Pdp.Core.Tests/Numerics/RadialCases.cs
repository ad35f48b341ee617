using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Numerics;

/// <summary>A weight of 12×40 whose gradients are corrected along it.</summary>
internal static class RadialCases
{
    public const double Ratio = 0.4;

    public static Temperature Corrected { get; } = Temperature.Relative(Ratio).WithRadialCorrection();

    /// <summary>What a scope adds to an earlier gradient.</summary>
    public static double[] Scope(PdpOptions options, ScalarType type, double scale = 1)
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(40, 12, hasBias: false);
        layer.to(type);
        using (no_grad())
            layer.weight!.copy_(Weight().mul(scale));
        using var pruner = new PdpPruner(layer, options);
        pruner.BeginEpoch(0);
        layer.weight!.grad = Upstream(7).to_type(type);
        using (pruner.Mask())
            layer.weight.mul(Upstream(2).to_type(type)).sum().backward();
        return layer.weight.grad!.to_type(ScalarType.Float64).sub(Upstream(7)).Values();
    }

    public static Tensor Weight() => Tensors.Of(Tensors.Normal(1, 480), [12, 40], ScalarType.Float32).to_type(ScalarType.Float64);

    public static Tensor Upstream(int seed) =>
        Tensors.Of(Tensors.Normal(seed, 480), [12, 40], ScalarType.Float32).to_type(ScalarType.Float64);

    public static PdpMask MaskOf(string strategy, Temperature temperature, Temperature? gradient = null)
    {
        var (chosen, layout) = (StrategyOf(strategy), new WeightLayout([12, 40]));
        var removed = chosen.GroupingOf(layout).Members / 2;
        var mask = new PdpMask("weight", layout, chosen, temperature, removed) { GradientTemperature = gradient };
        mask.Advance(1, 0);
        return mask;
    }

    public static PdpOptions OptionsOf(string strategy) => new()
    {
        Epochs = 1,
        Sparsity = StrategyOf(strategy) is NofM ? null : 0.5,
        Strategy = StrategyOf(strategy),
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(Ratio),
    };

    public static IMaskStrategy StrategyOf(string name) => name switch
    {
        "2:4" => NofM.Keep(2, of: 4),
        "4:8" => NofM.Keep(4, of: 8),
        "channel" => new PerChannel(),
        "1x4" => new Block(1, 4),
        _ => new Unstructured(),
    };
}
