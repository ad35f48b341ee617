using Pdp.Tests.Support;
using static Pdp.Tests.Numerics.RadialCases;
using static TorchSharp.torch;

namespace Pdp.Tests.Numerics;

/// <summary>Gradients whose derivative along the weights is that of the masked weights.</summary>
public sealed class RadialCorrectionTests
{
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
        var options = OptionsOf(strategy) with { Temperature = Corrected };

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
            var options = OptionsOf(strategy) with { Temperature = Temperature.Relative(ratio), GradientTemperature = Corrected };
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
        var options = OptionsOf(strategy) with { Temperature = Temperature.Relative(0.05), GradientTemperature = Corrected };
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

        var expected = Scope(OptionsOf(strategy) with { GradientTemperature = hard }, type);
        var actual = Scope(OptionsOf(strategy) with { GradientTemperature = hard.WithRadialCorrection() }, type);

        Assert.Equal(expected, actual);
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
}
