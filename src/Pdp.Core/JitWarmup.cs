using System.Collections.Concurrent;
using Pdp.Masking;
using Pdp.Watching;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>Has the JIT compile the code of masked steps when a pruner is made, so that its first step is as fast as the others.</summary>
/// <remarks>
/// Trains a small weight of its own for two steps, once in a process for each kind of kernel, in about 20 ms. Draws no random numbers and
/// leaves nothing behind.
/// </remarks>
internal static class JitWarmup
{
    /// <summary>Enough weights for the search for the threshold to start from a sample, as it does in layers of usual size.</summary>
    private const long Elements = 1 << 14;

    private static readonly ConcurrentDictionary<(long, long, bool, bool), bool> Done = [];

    private static Temperature Soft { get; } = Temperature.Relative(0.25);

    /// <summary>Compiles the steps of a model's kernels.</summary>
    public static void Run(MaskedModel model)
    {
        foreach (var layer in model.Layers.Where(layer => layer.Group.Memory is WeightScope))
            Run(layer.Mask);
    }

    /// <summary>Compiles the steps of the kernels for a mask, unless that was done before.</summary>
    /// <returns>Whether they had to be compiled.</returns>
    public static bool Run(PdpMask mask)
    {
        var kind = WeightScope.KindOf(mask);
        var isNew = Done.TryAdd(kind, true);
        if (isNew)
        {
            var soft = kind.IsCorrected ? Soft.WithRadialCorrection() : Soft;
            var layout = new WeightLayout([Math.Max(1, Elements / (kind.Members * kind.Stride)), kind.Members, kind.Stride]);
            // Masks and gradients have the same temperature at times, even if each has its own.
            Train(mask.Strategy, layout, soft, gradient: null);
            if (kind.HasGradientTemperature)
                Train(mask.Strategy, layout, Temperature.Relative(1), soft);
        }

        return isNew;
    }

    private static void Train(IMaskStrategy strategy, WeightLayout layout, Temperature temperature, Temperature? gradient)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode(false);
        using var gradients = enable_grad();
        using Scalar zero = 0.ToScalar();
        using Scalar one = 1.ToScalar();
        using Scalar count = layout.Elements.ToScalar();
        using var weight = new Parameter(arange(zero, count, one, dtype: ScalarType.Float32, device: CPU).reshape(layout.Dimensions));
        var mask = new PdpMask(nameof(JitWarmup), layout, strategy, temperature, strategy.GroupingOf(layout).Members / 2)
        {
            GradientTemperature = gradient,
        };
#pragma warning disable CA2000 // The model owns the group.
        var group = new MaskGroup(mask, new GroupSlices(mask, weight));
#pragma warning restore CA2000
        using var model = new MaskedModel([new PrunedLayer(group, Rule: null)]);
        using var watch = new MisuseWatch([group]);
        using var gate = new ScopeGate(model, watch, meter: null);
        model.Advance(1, 0);
        for (var step = 0; step < 2; step++)
        {
            var number = gate.Open(MaskForm.Soft);
            weight.sum().backward();
            gate.Close(number);
        }
    }
}
