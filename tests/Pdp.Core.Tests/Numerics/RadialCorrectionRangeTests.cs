using Pdp.Tests.Support;
using TorchSharp;
using static Pdp.Tests.Numerics.RadialCases;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Numerics;

/// <summary>The correction along weights and gradients of any size, and temperatures that don't fit one.</summary>
public sealed class RadialCorrectionRangeTests
{
    [Theory]
    [InlineData("unstructured", -100)]
    [InlineData("unstructured", 100)]
    [InlineData("2:4", -100)]
    [InlineData("2:4", 100)]
    [InlineData("channel", -100)]
    [InlineData("channel", 100)]
    public void Scope_OverScaledWeights_HasTheSameGradient(string strategy, int exponent)
    {
        var options = OptionsOf(strategy) with { Temperature = Corrected };
        foreach (var (type, power) in (IEnumerable<(ScalarType, int)>)[(ScalarType.Float32, exponent), (ScalarType.Float64, 9 * exponent)])
        {
            var expected = Scope(options, type);
            var actual = Scope(options, type, Math.ScaleB(1, power));

            Close.Equal(expected, actual, Close.Of(type), Close.Of(type) / 10);
        }
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    [InlineData("channel")]
    public void Scope_OverZeros_HasAFiniteGradient(string strategy)
    {
        var options = OptionsOf(strategy) with { Temperature = Corrected };
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
        using var pruner = new PdpPruner(layer, OptionsOf("unstructured") with { Temperature = Corrected });
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
        var absolute = OptionsOf("unstructured") with { Temperature = Temperature.Absolute(0.1), GradientTemperature = Corrected };
        var lost = OptionsOf("unstructured") with
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
}
