using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Masking;

public sealed class PdpMaskTests
{
    private static readonly WeightLayout Layout = new([4, 8]);

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Apply_WithNothingRemoved_IsTheIdentityBitForBit(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), Layout, 0, Temperature.Absolute(1e-4));
        var weight = Tensors.Of([.. Tensors.Normal(1, 31), 0], [4, 8], type).requires_grad_();
        var upstream = Tensors.Of(Tensors.Normal(2, 32), [4, 8], type);

        var masked = mask.Apply(weight);
        masked.backward([upstream]);

        Assert.Equal(weight.Bits(), masked.Bits());
        Assert.Equal(upstream.Bits(), weight.grad!.Bits());
        Assert.All(mask.Soft(weight).Values(), value => Assert.Equal(1, value));
        Assert.All(mask.Kept(weight).Values(), value => Assert.Equal(1, value));
    }

    [Theory]
    [InlineData(ScalarType.Float16, ScalarType.Float32, Close.Float16)]
    [InlineData(ScalarType.BFloat16, ScalarType.Float32, Close.BFloat16)]
    [InlineData(ScalarType.Float32, ScalarType.Float32, Close.Float32)]
    [InlineData(ScalarType.Float64, ScalarType.Float64, Close.Float64)]
    public void Apply_InEachType_ComputesWideAndRoundsOnce(ScalarType type, ScalarType arithmetic, double tolerance)
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), Layout, 16, Temperature.Relative(0.5));
        var weight = Tensors.Of(Tensors.Normal(3, 32, scale: 0.05), [4, 8], type);
        var wide = Tensors.Of(weight.Values(), [4, 8]);

        var (soft, masked) = (mask.Soft(weight), mask.Apply(weight));

        Assert.Equal((arithmetic, type), (soft.dtype, masked.dtype));
        Close.Equal(mask.Soft(wide).Values(), soft.Values(), arithmetic == ScalarType.Float64 ? Close.Float64 : Close.Float32);
        Close.Equal(mask.Apply(wide).Values(), masked.Values(), tolerance, type == ScalarType.Float16 ? 3e-8 : 0);
    }

    [Theory]
    [InlineData(ScalarType.Float16, 2 * Close.Float16)]
    [InlineData(ScalarType.BFloat16, 2 * Close.BFloat16)]
    [InlineData(ScalarType.Float32, 10 * Close.Float32)]
    public void Apply_InNarrowTypes_HasTheGradientOfFloat64(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), Layout, 16, Temperature.Relative(0.5));
        var weight = Tensors.Of(Tensors.Normal(4, 32), [4, 8], type).requires_grad_();
        var wide = Tensors.Of(weight.Values(), [4, 8]).requires_grad_();

        mask.Apply(weight).backward([Tensors.Of(Enumerable.Repeat(1.0, 32).ToArray(), [4, 8], type)]);
        mask.Apply(wide).sum().backward();

        Assert.Equal(type, weight.grad!.dtype);
        Close.Equal(wide.grad!.Values(), weight.grad!.Values(), tolerance, tolerance);
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Apply_ToGroupsOfZeros_WithARelativeTemperature_GivesNoNaN(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(NofM.Keep(2, of: 4), Layout, 2, Temperature.Relative(0.25));
        double[] values = [0, 0, 0, 0, 0, 0, 0, 3, .. Tensors.Normal(5, 8), .. new double[16]];
        var weight = Tensors.Of(values, [4, 8], type).requires_grad_();

        var masked = mask.Apply(weight);
        masked.backward([Tensors.Of(Enumerable.Repeat(1.0, 32).ToArray(), [4, 8], type)]);

        Assert.All(mask.Soft(weight).Values(), value => Assert.InRange(value, 0, 1));
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 3], masked.Values()[..8]);
        Assert.All(weight.grad!.Values(), value => Assert.True(double.IsFinite(value)));
        Assert.Equal(1, weight.grad!.Values()[7]);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Gradient_OfGroupsOfZeros_WithARelativeTemperature_GivesNoNaN(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(NofM.Keep(2, of: 4), Layout, 2, Temperature.Relative(0.25));
        var weight = Tensors.Of([0, 0, 0, 0, 0, 0, 0, 30, .. Tensors.Normal(6, 24)], [4, 8], type);
        var upstream = Tensors.Of(Tensors.Normal(7, 32), [4, 8], type);

        var gradient = SoftMask.Gradient(weight, upstream, mask.BoundaryOf(weight), mask.Strategy, Layout).Values();

        Assert.All(gradient, value => Assert.True(double.IsFinite(value)));
        Assert.Equal(upstream.Values()[7], gradient[7]);
    }

    [Theory]
    [InlineData(1e-30)]
    [InlineData(1e-40)]
    [InlineData(1e-50)]
    [InlineData(1e50)]
    public void Soft_WithATemperatureBeyondFloat32_GivesNoNaN(double temperature)
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), [6], 3, Temperature.Absolute(temperature));
        var weight = Tensors.Of([.1, .2, .3, -.3, .4, .5], type: ScalarType.Float32).requires_grad_();

        mask.Apply(weight).sum().backward();

        var expected = temperature > 1 ? new[] { .5, .5, .5, .5, .5, .5 } : [0, 0, .5, .5, 1, 1];
        Assert.Equal(expected, mask.Soft(weight).Values());
        Assert.All(weight.grad!.Values(), value => Assert.False(double.IsNaN(value)));
    }

    [Theory]
    [InlineData(0.0, 0)]
    [InlineData(0.5, 5)]
    [InlineData(0.99, 9)]
    [InlineData(1.0, 10)]
    public void Advance_ToAShareOfTheTarget_RemovesThatMany(double fraction, long removed)
    {
        var mask = new PdpMask("w", Layout, new Unstructured(), Temperature.Relative(1).AnnealedTo(0.25, 0, 4), target: 10);

        mask.Advance(fraction, epoch: 2);

        Assert.Equal((removed, 10L, 0.5), (mask.Removed, mask.TargetWeights, mask.TemperatureValue));
    }

    [Theory]
    [InlineData(-0.01)]
    [InlineData(1.01)]
    [InlineData(double.NaN)]
    public void Advance_OutsideOfTheUnitInterval_Throws(double fraction)
    {
        var mask = new PdpMask("w", Layout, new Unstructured(), Temperature.Relative(1), target: 10);

        Assert.Throws<ArgumentOutOfRangeException>(() => mask.Advance(fraction, 0));
    }

    [Fact]
    public void Constructor_BeforeAdvance_RemovesNothing()
    {
        var mask = new PdpMask("w", Layout, new Unstructured(), Temperature.Absolute(0.5), target: 31);

        Assert.Equal((0L, 31L, 1L, 32L, 0.5), (mask.Removed, mask.Target, mask.Groups, mask.Members, mask.TemperatureValue));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(32)]
    public void Constructor_WithATargetThatKeepsNothing_Throws(long target)
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>(
            () => new PdpMask("w", Layout, new Unstructured(), Temperature.Relative(1), target));

        Assert.Contains("[0, 32)", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_WithARefusedLayout_SaysWhy()
    {
        var fault = Assert.Throws<ArgumentException>(
            () => new PdpMask("fc.weight", new WeightLayout([4, 6]), NofM.Keep(2, of: 4), Temperature.Relative(1)));

        Assert.Contains("2:4 can't prune 'fc.weight' [4, 6]: 6 inputs are not divisible by 4", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_WithoutAnArgument_Throws()
    {
        var (strategy, temperature) = (new Unstructured(), Temperature.Relative(1));

        Assert.Throws<ArgumentNullException>("name", () => new PdpMask(null!, Layout, strategy, temperature));
        Assert.Throws<ArgumentNullException>("layout", () => new PdpMask("w", null!, strategy, temperature));
        Assert.Throws<ArgumentNullException>("strategy", () => new PdpMask("w", Layout, null!, temperature));
        Assert.Throws<ArgumentNullException>("temperature", () => new PdpMask("w", Layout, strategy, null!));
    }
}
