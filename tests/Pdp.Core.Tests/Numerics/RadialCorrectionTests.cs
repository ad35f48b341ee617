using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Numerics;

/// <summary>Gradients whose derivative along the weights is that of the masked weights.</summary>
public sealed class RadialCorrectionTests
{
    private const double Ratio = 0.4;

    private static readonly Temperature Corrected = Temperature.Relative(Ratio).WithRadialCorrection();

    public static TheoryData<string> Strategies { get; } = ["unstructured", "2:4", "4:8", "channel", "1x4"];

    public static TheoryData<string, ScalarType> Cases()
    {
        var cases = new TheoryData<string, ScalarType>();
        foreach (var strategy in (string[])["unstructured", "2:4", "4:8", "channel", "1x4"])
        {
            cases.Add(strategy, ScalarType.Float32);
            cases.Add(strategy, ScalarType.Float64);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_WithIt_GivesTheGradientOfAThresholdThatFollowsTheNorm(string strategy, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var options = Options(strategy) with { Temperature = Corrected };

        var actual = Scope(options, type);

        AssertClose(OfAutograd(StrategyOf(strategy)), actual, type);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_WithAGradientTemperature_HasItsGradientAcrossTheWeightsAndThatOfTheMaskAlongThem(string strategy, ScalarType type)
    {
        using var scope = NewDisposeScope();
        foreach (var ratio in (double[])[0.05, 2])
        {
            var options = Options(strategy) with { Temperature = Temperature.Relative(ratio), GradientTemperature = Corrected };
            var mask = MaskOf(strategy, Temperature.Relative(ratio));
            var (weight, masked) = (Weight(), mask.Apply(Weight()));
            var constant = Constant(strategy);

            var actual = Scope(options, type);

            var surplus = constant.mul(weight).sum().sub(Upstream(2).mul(masked).sum());
            AssertClose(constant.sub(weight.mul(surplus.div(weight.mul(weight).sum()))).Values(), actual, type);
        }
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Apply_WithAGradientTemperature_HasTheGradientOfTheScope(string strategy)
    {
        using var scope = NewDisposeScope();
        var options = Options(strategy) with { Temperature = Temperature.Relative(0.05), GradientTemperature = Corrected };
        var mask = MaskOf(strategy, Temperature.Relative(0.05), Corrected);
        var weight = Weight().requires_grad_();

        var masked = mask.Apply(weight);
        masked.backward([Upstream(2)]);

        AssertClose(weight.grad!.Values(), Scope(options, ScalarType.Float64), ScalarType.Float64);
        Assert.Equal(MaskOf(strategy, Temperature.Relative(0.05)).Apply(weight).Values(), masked.Values());
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Apply_WithIt_HasTheGradientOfAThresholdThatFollowsTheNorm(string strategy)
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(strategy, Corrected);
        var weight = Weight().requires_grad_();

        mask.Apply(weight).backward([Upstream(2)]);

        AssertClose(OfAutograd(StrategyOf(strategy)), weight.grad!.Values(), ScalarType.Float64);
    }

    [Theory]
    [InlineData("unstructured", ScalarType.Float32)]
    [InlineData("unstructured", ScalarType.Float64)]
    [InlineData("2:4", ScalarType.Float32)]
    [InlineData("channel", ScalarType.Float32)]
    public void Scope_WithHardMasks_ChangesNoBit(string strategy, ScalarType type)
    {
        var hard = Temperature.Relative(1).HardFrom(0);

        var expected = Scope(Options(strategy) with { GradientTemperature = hard }, type);
        var actual = Scope(Options(strategy) with { GradientTemperature = hard.WithRadialCorrection() }, type);

        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData("unstructured", -100)]
    [InlineData("unstructured", 100)]
    [InlineData("2:4", -100)]
    [InlineData("2:4", 100)]
    [InlineData("channel", -100)]
    [InlineData("channel", 100)]
    public void Scope_OverScaledWeights_HasTheSameGradient(string strategy, int exponent)
    {
        var options = Options(strategy) with { Temperature = Corrected };
        foreach (var (type, power) in (IEnumerable<(ScalarType, int)>)[(ScalarType.Float32, exponent), (ScalarType.Float64, 9 * exponent)])
        {
            var expected = Scope(options, type);
            var actual = Scope(options, type, Math.ScaleB(1, power));

            Close.Equal(expected, actual, Close.Float32, 1e-6);
        }
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    [InlineData("channel")]
    public void Scope_OverZeros_HasAFiniteGradient(string strategy)
    {
        var options = Options(strategy) with { Temperature = Corrected };
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.Float64])
            Assert.All(Scope(options, type, scale: 0), value => Assert.True(double.IsFinite(value)));
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    [InlineData("channel")]
    public void Apply_ToWeightsOfAnyScale_HasTheSameGradient(string strategy)
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(strategy, Temperature.Relative(0.05), Corrected);
        var expected = Applied(mask, Weight().to_type(ScalarType.Float32));

        foreach (var exponent in (int[])[-120, -100, 100, 120])
        {
            var weight = Weight().to_type(ScalarType.Float32).mul(Math.ScaleB(1, exponent));
            Close.Equal(expected, Applied(mask, weight), Close.Float32, 1e-6);
        }

        Assert.All(Applied(mask, zeros(12, 40)), value => Assert.True(double.IsFinite(value)));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Scope_WithOneGradientThatIsNotFinite_LeavesTheOthersFinite(ScalarType type)
    {
        using var layer = Linear(40, 12, hasBias: false);
        layer.to(type);
        using (no_grad())
            layer.weight!.copy_(Weight());
        using var pruner = new PdpPruner(layer, Options("unstructured") with { Temperature = Corrected });
        pruner.BeginEpoch(0);
        using (pruner.Mask())
        {
            layer.weight!.grad = Upstream(2).to_type(type);
            layer.weight.grad![0, 0] = float.PositiveInfinity;
        }

        Assert.Single(layer.weight.grad!.Values(), value => !double.IsFinite(value));
    }

    [Fact]
    public void Temperatures_OfWhichOnlyOneFitsACorrection_AreRefused()
    {
        using var layer = Linear(16, 8, hasBias: false);
        var absolute = Options("unstructured") with { Temperature = Temperature.Absolute(0.1), GradientTemperature = Corrected };
        var lost = Options("unstructured") with
        {
            Rules = [new("*") { Temperature = Corrected, GradientTemperature = Temperature.Relative(1) }],
        };

        Assert.Contains("use Temperature.Relative for the masks, too",
            Assert.Throws<ArgumentException>(() => new PdpPruner(layer, absolute)).Message, StringComparison.Ordinal);
        Assert.Contains("give that one the correction",
            Assert.Throws<ArgumentException>(() => new PdpPruner(layer, lost)).Message, StringComparison.Ordinal);
        Assert.Contains("use Temperature.Relative for the masks, too",
            Assert.Throws<ArgumentException>(() => MaskOf("unstructured", Temperature.Absolute(0.1), Corrected)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void WithRadialCorrection_OfAnAbsoluteTemperature_Refuses()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Temperature.Absolute(1e-4).WithRadialCorrection());

        Assert.Contains("use Temperature.Relative", error.Message, StringComparison.Ordinal);
    }

    private static double[] Applied(PdpMask mask, Tensor weight)
    {
        weight.requires_grad_();
        mask.Apply(weight).backward([Upstream(2).to_type(weight.dtype)]);
        return weight.grad!.Values();
    }

    private static void AssertClose(double[] gradient, double[] actual, ScalarType type)
    {
        var tolerance = type == ScalarType.Float32 ? 2e-5 : Close.Float64;
        Close.Equal(gradient, actual, tolerance, tolerance);
    }

    /// <summary>∂L/∂w for L = Σ g·m(w)·w with constant t and τ.</summary>
    private static Tensor Constant(string strategy)
    {
        var weight = Weight().requires_grad_();
        MaskOf(strategy, Temperature.Relative(Ratio)).Apply(weight).backward([Upstream(2)]);
        return weight.grad!;
    }

    /// <summary>∂L/∂w for L = Σ g·m(w)·w, where t = t₀·‖w‖/‖w₀‖ and τ = ρ·t², by autograd.</summary>
    private static double[] OfAutograd(IMaskStrategy strategy)
    {
        var layout = new WeightLayout([12, 40]);
        var (start, moving) = (Weight(), Weight().requires_grad_());
        var mask = Making.Mask(strategy, [12, 40], strategy.GroupingOf(layout).Members / 2, Temperature.Relative(Ratio));
        var threshold = mask.Threshold(start).mul(moving.norm().div(start.norm()));
        var score = strategy.Sum(moving.square(), layout).mul(strategy.ScoreSlope(layout));
        var soft = score.div(threshold.square()).sub(1).div(Ratio).sigmoid();
        strategy.Spread(soft, layout).mul(moving).mul(Upstream(2)).sum().backward();
        return moving.grad!.Values();
    }

    /// <summary>What a scope adds to an earlier gradient.</summary>
    private static double[] Scope(PdpOptions options, ScalarType type, double scale = 1)
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

    private static Tensor Weight() => Tensors.Of(Tensors.Normal(1, 480), [12, 40], ScalarType.Float32).to_type(ScalarType.Float64);

    private static Tensor Upstream(int seed) =>
        Tensors.Of(Tensors.Normal(seed, 480), [12, 40], ScalarType.Float32).to_type(ScalarType.Float64);

    private static PdpMask MaskOf(string strategy, Temperature temperature, Temperature? gradient = null)
    {
        var (chosen, layout) = (StrategyOf(strategy), new WeightLayout([12, 40]));
        var removed = chosen.GroupingOf(layout).Members / 2;
        var mask = new PdpMask("weight", layout, chosen, temperature, removed) { GradientTemperature = gradient };
        mask.Advance(1, 0);
        return mask;
    }

    private static PdpOptions Options(string strategy) => new()
    {
        Epochs = 1,
        Sparsity = StrategyOf(strategy) is NofM ? null : 0.5,
        Strategy = StrategyOf(strategy),
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(Ratio),
    };

    private static IMaskStrategy StrategyOf(string name) => name switch
    {
        "2:4" => NofM.Keep(2, of: 4),
        "4:8" => NofM.Keep(4, of: 8),
        "channel" => new PerChannel(),
        "1x4" => new Block(1, 4),
        _ => new Unstructured(),
    };
}
