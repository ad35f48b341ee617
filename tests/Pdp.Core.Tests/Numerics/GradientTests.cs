using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Numerics;

/// <summary>
/// Equation 5 in closed form, as autograd gives it on <see cref="PdpMask.Apply"/>, and as a second implementation gives it.
/// </summary>
public sealed class GradientTests
{
    /// <summary>2^±100, by which a float32 number is multiplied without rounding.</summary>
    private const double Huge = 1.2676506002282294e30;
    private const double Tiny = 1 / Huge;

    private static readonly long[] Shape = [8, 8, 3];

    public static TheoryData<string, bool, double> Cases => new()
    {
        { "unstructured", false, 0.3 }, { "unstructured", true, 0.5 },
        { "2:4", false, 0.3 }, { "2:4", true, 0.5 },
        { "rms", false, 0.5 }, { "rms", true, 0.2 },
        { "l2", false, 10 }, { "l2", true, 0.2 },
        { "1x4", false, 0.5 }, { "1x4", true, 0.5 },
        { "4x1-l2", false, 2 }, { "4x1-l2", true, 0.5 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradient_InClosedForm_EqualsAutogradAndTheOracle(string strategy, bool isRelative, double temperature)
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(strategy, isRelative, temperature);
        var weight = Tensors.Of(Tensors.Normal(1, 192), Shape).requires_grad_();
        var upstream = Tensors.Of(Tensors.Normal(2, 192), Shape);

        mask.Apply(weight).backward([upstream]);
        var boundary = mask.BoundaryOf(weight.detach());
        var closed = SoftMask.Gradient(weight.detach(), upstream, boundary, mask.Strategy, mask.Layout).Values();

        AssertNotSaturated(mask.Soft(weight).Values());
        Close.Equal(weight.grad!.Values(), closed, Close.Float64, Close.Float64);
        if (!isRelative)
            Close.Equal(
                Oracle.Gradient(weight, upstream, boundary.Threshold, temperature, mask.Strategy, mask.Layout),
                closed,
                Close.Float64,
                Close.Float64);
    }

    [Theory]
    [InlineData("unstructured", Tiny)]
    [InlineData("2:4", Huge)]
    [InlineData("rms", Tiny)]
    [InlineData("1x4", Huge)]
    public void Gradient_OfWeightsAndSensitivitiesOfOppositeScales_HasTheSameBits(string strategy, double scale)
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(strategy, isRelative: true, 0.5);
        var sensitivity = Tensors.Normal(3, 192);

        Assert.Equal(Gradient(1).Bits(), Gradient(scale).Bits());

        Tensor Gradient(double unit)
        {
            var weight = Tensors.Of([.. Tensors.Normal(1, 192).Select(w => w * unit)], Shape, ScalarType.Float32);
            var a = Tensors.Of([.. sensitivity.Select(a => a / unit)], Shape, ScalarType.Float32);
            var upstream = Tensors.Of(Tensors.Normal(2, 192, scale: 1e-12), Shape, ScalarType.Float32);
            return SoftMask.Gradient(
                weight, upstream, mask.BoundaryOf(weight.mul(a)), mask.Strategy, mask.Layout, sensitivity: a);
        }
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    [InlineData("rms")]
    [InlineData("l2")]
    [InlineData("1x4")]
    public void Gradient_WithTheThresholdHeld_AgreesWithFiniteDifferences(string strategy)
    {
        using var scope = NewDisposeScope();
        const double step = 1e-6;
        var mask = MaskOf(strategy, isRelative: false, strategy == "l2" ? 10 : 0.4);
        var values = Tensors.Normal(3, 192);
        var boundary = mask.BoundaryOf(Tensors.Of(values, Shape));
        var upstream = Tensors.Of(Tensors.Normal(4, 192), Shape);
        double Loss(double[] moved) => Weighed(mask, Tensors.Of(moved, Shape), upstream, boundary);

        var closed = SoftMask.Gradient(Tensors.Of(values, Shape), upstream, boundary, mask.Strategy, mask.Layout).Values();

        for (var i = 0; i < 20; i++)
            Close.Equal((Loss(Moved(values, i, step)) - Loss(Moved(values, i, -step))) / (2 * step), closed[i], 1e-6, absolute: 1e-7);
    }

    [Fact]
    public void Gradient_OfAWeightOnTheThreshold_IsAmplifiedByTheSpecifiedFactor()
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), [4], 2, Temperature.Absolute(1e-5));
        var weight = Tensors.Of([.01, .1, -.1, .9]).requires_grad_();

        mask.Apply(weight).sum().backward();

        // ½ + t²/(2τ) at |w| = t = 0.1, τ = 1e-5; 0 or 1 far from it.
        Close.Equal([0, 500.5, 500.5, 1], weight.grad!.Values(), Close.Float64);
    }

    [Fact]
    public void Gradient_WithARelativeTemperature_IsOneHalfPlusHalfTheInverseRatioAtTheThreshold()
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), [2, 2], 2, Temperature.Relative(0.25));
        var weight = Tensors.Of([3e-3, .02, -.02, .9], [2, 2]).requires_grad_();

        mask.Apply(weight).sum().backward();

        Close.Equal([2.5, 2.5], weight.grad!.Values()[1..3], Close.Float64);
    }

    [Fact]
    public void Step_OutwardsFromJustBelowTheThreshold_CrossesIt_ButNotFromFarBelow()
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), [4], 2, Temperature.Absolute(.01));
        double[] before = [.01, .29, .31, .9];
        var weight = Tensors.Of(before).requires_grad_();

        mask.Apply(weight).backward([Tensors.Of([-1, -1, 0, 0])]);
        double[] after = [.. before.Zip(weight.grad!.Values(), (value, gradient) => value - (.01 * gradient))];

        Assert.True(after[1] > .31, "the boundary weight crosses");
        Assert.Equal([0, 1, 0, 1], mask.Kept(Tensors.Of(after)).Values());
        Assert.Equal(before[0], after[0], 1e-5);
    }

    [Fact]
    public void Gradient_WhereTheTemperatureIsTiny_IsFinite()
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), [4], 2, Temperature.Absolute(1e-37));
        var weight = Tensors.Of([.1, .2, .3, .4], type: ScalarType.Float32);

        var gradient = SoftMask.Gradient(
            weight, Tensors.Of([1, 2, 3, 4], type: ScalarType.Float32), mask.BoundaryOf(weight), mask.Strategy, mask.Layout);

        Assert.Equal([0, 0, 3, 4], gradient.Values());
    }

    private static PdpMask MaskOf(string name, bool isRelative, double temperature)
    {
        var strategy = name switch
        {
            "2:4" => (IMaskStrategy)NofM.Keep(2, of: 4),
            "rms" => new PerChannel(),
            "l2" => new PerChannel { Score = ScoreNorm.L2 },
            "1x4" => new Block(1, 4),
            "4x1-l2" => new Block(4, 1) { Score = ScoreNorm.L2 },
            _ => new Unstructured(),
        };
        var (_, members) = strategy.GroupingOf(new WeightLayout(Shape));
        return Making.Mask(
            strategy, Shape, members / 2, isRelative ? Temperature.Relative(temperature) : Temperature.Absolute(temperature));
    }

    private static void AssertNotSaturated(double[] soft)
    {
        Assert.True(
            soft.Count(value => value * (1 - value) > 0.05) > soft.Length / 10,
            "too few masks are soft for the comparison to mean anything");
        Assert.Contains(soft, value => value < 0.4);
    }

    private static double Weighed(PdpMask mask, Tensor weight, Tensor upstream, Boundary held)
    {
        using var scope = NewDisposeScope();
        var soft = SoftMask.Mask(mask.BoundaryOf(weight, held.Threshold, held.Scale).Logit);
        return mask.Strategy.Spread(soft, mask.Layout).mul(weight).mul(upstream).sum().ReadCpuDouble(0);
    }

    private static double[] Moved(double[] values, int place, double step)
    {
        double[] moved = [.. values];
        moved[place] += step;
        return moved;
    }
}
