using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Numerics;

/// <summary>PDP(cW, c²τ) = c·PDP(W, τ), over nearly all exponents that a type has.</summary>
public sealed class ScaleTests
{
    private static readonly long[] Shape = [8, 8, 3];

    public static TheoryData<string, ScalarType, int> Cases()
    {
        var cases = new TheoryData<string, ScalarType, int>();
        foreach (var strategy in (string[])["unstructured", "2:4", "rms", "l2"])
        {
            foreach (var exponent in (int[])[-100, -70, 70, 100])
            {
                cases.Add(strategy, ScalarType.Float32, exponent);
                cases.Add(strategy, ScalarType.BFloat16, exponent);
                cases.Add(strategy, ScalarType.Float64, 9 * exponent);
            }

            cases.Add(strategy, ScalarType.Float16, -5);
            cases.Add(strategy, ScalarType.Float16, 12);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Apply_ToScaledWeights_ScalesAsTheyDo(string strategy, ScalarType type, int exponent)
    {
        using var scope = NewDisposeScope();
        var scale = Math.ScaleB(1, exponent);
        foreach (var ratio in (double[])[1, 0.02, 1e-3])
        {
            var mask = MaskOf(strategy, Temperature.Relative(ratio));
            var (soft, masked, gradient) = Differentiated(mask, type, 1);
            var (softScaled, maskedScaled, gradientScaled) = Differentiated(mask, type, scale);

            // Powers of two change exponents only.
            Assert.Equal(soft, softScaled);
            Close.Equal([.. masked.Select(value => value * scale)], maskedScaled, 0, Underflow(type, scale));
            RequireSame(gradient, gradientScaled, type);
            Assert.True(ratio < 1 || soft.Any(value => value is > 0.01 and < 0.99));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_OverScaledWeights_ScalesAsTheyDo(string strategy, ScalarType type, int exponent)
    {
        var scale = Math.ScaleB(1, exponent);
        foreach (var form in Enum.GetValues<MaskForm>())
        {
            var (masked, gradient) = Scoped(strategy, type, 1, form);
            var (maskedScaled, gradientScaled) = Scoped(strategy, type, scale, form);

            Close.Equal([.. masked.Select(value => value * scale)], maskedScaled, Arithmetic(type), Underflow(type, scale));
            RequireSame(gradient, gradientScaled, type);
            Assert.Contains(gradient, value => value is > 0.01 or < -0.01);
        }
    }

    [Theory]
    [InlineData(-60)]
    [InlineData(60)]
    public void Apply_WithAnAbsoluteTemperatureScaledAlong_ScalesToo(int exponent)
    {
        using var scope = NewDisposeScope();
        var scale = Math.ScaleB(1, exponent);
        foreach (var strategy in (string[])["unstructured", "2:4", "rms", "l2"])
        {
            var temperature = strategy == "l2" ? 8 : 0.3;
            var (soft, masked, gradient) = Differentiated(MaskOf(strategy, Temperature.Absolute(temperature)), ScalarType.Float32, 1);
            var scaled = Differentiated(MaskOf(strategy, Temperature.Absolute(temperature * scale * scale)), ScalarType.Float32, scale);

            Close.Equal(soft, scaled.Soft, 1e-6);
            Close.Equal([.. masked.Select(value => value * scale)], scaled.Masked, 1e-6);
            Close.Equal(gradient, scaled.Gradient, Close.Float32, 1e-6);
        }
    }

    private static PdpMask MaskOf(string name, Temperature temperature)
    {
        var strategy = StrategyOf(name);
        return Making.Mask(strategy, Shape, strategy.GroupingOf(new(Shape)).Members / 2, temperature);
    }

    private static void RequireSame(double[] expected, double[] actual, ScalarType type) =>
        Close.Equal(expected, actual, Arithmetic(type), type == ScalarType.Float64 ? Close.Float64 : 1e-9);

    /// <summary>The tolerance of the arithmetic, which is float32 for narrower types, too: scaling changes no rounding.</summary>
    private static double Arithmetic(ScalarType type) => type == ScalarType.Float64 ? Close.Float64 : Close.Float32;

    /// <summary>What products may be off by where they are too small for the type, at one scale or the other.</summary>
    private static double Underflow(ScalarType type, double scale) => type switch
    {
        ScalarType.Float64 => 0,
        ScalarType.Float16 => 6e-8 * Math.Max(1, scale),
        _ => 2e-8 * scale,
    };

    private static IMaskStrategy StrategyOf(string name) => name switch
    {
        "2:4" => NofM.Keep(2, of: 4),
        "rms" => new PerChannel(),
        "l2" => new PerChannel { Score = ScoreNorm.L2 },
        _ => new Unstructured(),
    };

    private static Tensor Weights(ScalarType type, double scale) =>
        Tensors.Of([.. Tensors.Normal(31, 192).Select(value => value * scale)], Shape, type);

    private static (double[] Soft, double[] Masked, double[] Gradient) Differentiated(PdpMask mask, ScalarType type, double scale)
    {
        var weight = Weights(type, scale).requires_grad_();
        var masked = mask.Apply(weight);
        masked.backward([Tensors.Of(Tensors.Normal(32, 192), Shape, type)]);
        return (mask.Soft(weight).Values(), masked.Values(), weight.grad!.Values());
    }

    private static (double[] Masked, double[] Gradient) Scoped(string strategy, ScalarType type, double scale, MaskForm form)
    {
        using var scope = NewDisposeScope();
        using var layer = Conv1d(8, 8, 3, bias: false);
        layer.to(type);
        using (no_grad())
            layer.weight.copy_(Weights(type, scale));
        using var pruner = new PdpPruner(layer, new()
        {
            Epochs = 1,
            Sparsity = 0.5,
            Strategy = StrategyOf(strategy),
            Schedule = new ConstantSparsity(),
            Temperature = Temperature.Relative(0.05),
        });
        pruner.BeginEpoch(0);
        using (pruner.Mask(form))
        {
            layer.weight.grad = Tensors.Of(Tensors.Normal(32, 192), Shape, type);
            return (layer.weight.Values(), Closed());
        }

        double[] Closed()
        {
            pruner.Dispose();
            return layer.weight.grad!.Values();
        }
    }
}
