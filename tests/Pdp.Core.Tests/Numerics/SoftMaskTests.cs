using Pdp.Numerics;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Numerics;

public sealed class SoftMaskTests
{
    [Fact]
    public void Mask_BelowTheCut_IsExactlyZero()
    {
        using var scope = NewDisposeScope();
        var logit = Tensors.Of([-1000, -100, -27.7, -27.6, 0, 100, 1000, double.NegativeInfinity, double.PositiveInfinity]);

        var mask = SoftMask.Mask(logit).Values();

        Assert.Equal([0, 0, 0], mask[..3]);
        Close.Equal(1 / (1 + Math.Exp(27.6)), mask[3], Close.Float64);
        Assert.Equal([.5, 1, 1, 0, 1], mask[4..]);
    }

    [Fact]
    public void Mask_InFloat32_IsNeverSubnormal()
    {
        using var scope = NewDisposeScope();
        var logit = Tensors.Of([.. Enumerable.Range(0, 1100).Select(step => -110 + (0.1 * step))], type: ScalarType.Float32);

        var mask = SoftMask.Mask(logit).Values();

        Assert.All(mask, value => Assert.True(value is 0 or >= 9.9e-13));
        Assert.Contains(mask, value => value is > 0 and < 1e-11);
    }

    [Fact]
    public void Slope_WhereTheMaskRoundsToOne_IsStillExact()
    {
        using var scope = NewDisposeScope();
        var logit = Tensors.Of([-2, 0, 2, 40]);

        var slope = SoftMask.Slope(SoftMask.Mask(logit), logit).Values();

        var expected = new[] { -2.0, 0, 2, 40 }.Select(z => Math.Exp(-z) / ((1 + Math.Exp(-z)) * (1 + Math.Exp(-z))));
        Close.Equal([.. expected], slope, Close.Float64);
    }

    [Fact]
    public void Logit_NextToTheThreshold_LosesNothingInFloat32()
    {
        // Far from cancelling: (w² − t²) itself would be rounded to a multiple of 6e-8 here.
        using var scope = NewDisposeScope();
        var (weight, threshold) = (MathF.BitIncrement(1f), 1f);
        var scale = Tensors.Of([1 / Math.Sqrt(1e-7)], [1, 1], ScalarType.Float32);

        var logit = SoftMask.Logit(
            Tensors.Of([weight], [1, 1], ScalarType.Float32), Tensors.Of([threshold], [1, 1], ScalarType.Float32), scale);

        var expected = (((double)weight * weight) - 1) / 1e-7;
        Close.Equal(expected, logit.Values()[0], 1e-6);
    }
}
