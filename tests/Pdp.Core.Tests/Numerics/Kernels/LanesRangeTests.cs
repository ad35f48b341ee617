using Pdp.Internal;
using Pdp.Numerics.Kernels;
using Pdp.Tests.Support;

namespace Pdp.Tests.Numerics.Kernels;

/// <summary>The kernels in vectors of each width where masks and products leave their range, against the equations in float64.</summary>
public sealed unsafe class LanesRangeTests
{
    /// <summary>A logit, which is below 28 wherever it matters, is off by some units of 6e-8 of its size; so is the mask.</summary>
    private const double Relative = 2e-5;

    /// <summary>Thresholds, scales 1/√τ, the largest weight, and the gradient's own temperature.</summary>
    private static readonly Dictionary<string, (float Threshold, float Scale, float Largest, Sharpness? Own)> Ranges = new()
    {
        ["exponents beyond those of float32"] = (0.6f, 60, 1, null),
        ["masks that are cut"] = (0.6f, 10, 1, null),
        ["subnormal products"] = (6e-37f, 8e36f, 1e-36f, null),
        ["almost hard masks"] = (0.6f, 165, 1, null),
        ["hard masks"] = (0.6f, 170, 1, null),
        ["hard masks with a soft gradient"] = (0.6f, 170, 1, Sharpness.Of(0.5, isRelative: true)),
        ["soft masks with a hard gradient"] = (0.6f, 2.5f, 1, Sharpness.Of(1e-6, isRelative: true)),
        ["masks with an absolute temperature of the gradient"] = (0.6f, 60, 1, Sharpness.Of(0.09, isRelative: false)),
    };

    public static TheoryData<string> Names => [.. Ranges.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void EnterAndLeave_AtTheEndsOfTheRange_GiveTheEquations(string range)
    {
        var (threshold, scale, _, own) = Ranges[range];
        var (weights, gradients) = Numbers(range);
        var gradientScale = own?.Scale(threshold, float.MaxValue) ?? scale;
        double[] masked = [.. weights.Select(w => Normal(Mask(w, threshold, scale) * w))];
        double[] corrected = [.. weights.Zip(gradients, (w, g) => g * Factor(w, threshold, gradientScale))];

        foreach (var width in (int[])[512, 256, 128])
        {
            var (actual, gradient) = Pass(width, range);

            Close.Equal(masked, [.. actual.Select(value => (double)value)], Relative);
            Close.Equal(corrected, [.. gradient.Select(value => (double)value)], Relative);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EnterAndLeave_InVectorsOfAnyWidth_GiveTheSameBits(string range)
    {
        var expected = Bits(128);

        Assert.Equal(expected, Bits(256));
        Assert.Equal(expected, Bits(512));

        int[] Bits(int width)
        {
            var (masked, gradient) = Pass(width, range);
            return [.. masked.Concat(gradient).Select(BitConverter.SingleToInt32Bits)];
        }
    }

    /// <summary>ŵ, and ∂L/∂w, of a pass that puts the weights back.</summary>
    private static (float[] Masked, float[] Gradient) Pass(int width, string range)
    {
        var (threshold, scale, _, own) = Ranges[range];
        var (before, gradients) = Numbers(range);
        var (weights, dense) = ((float[])[.. before], new float[before.Length]);
        float[] masked;
        bool isSame;
        fixed (float* weight = weights, copy = dense, gradient = gradients)
        {
            LanesTests.Pass(width).Enter(weight, copy, weights.Length, threshold, scale);
            masked = [.. weights];
            isSame = LanesTests.Pass(width).Leave(weight, copy, gradient, null, weights.Length, threshold, scale, own);
        }

        Assert.True(isSame);
        Assert.Equal(before, weights);
        return (masked, gradients);
    }

    /// <summary>Weights over the whole range and on the threshold, some more than whole vectors; gradients that are not zero.</summary>
    private static (float[] Weights, float[] Gradients) Numbers(string range)
    {
        var (threshold, _, largest, _) = Ranges[range];
        float[] weights = [.. Enumerable.Range(-38, 77).Select(i => largest * i / 38), threshold, -threshold];
        return (weights, [.. weights.Select((_, i) => (i % 2 == 0 ? 1 : -1) * (1 + (i / 100f)))]);
    }

    private static double Mask(double w, double threshold, double scale)
    {
        var mask = 1 / (1 + Odds(w, threshold, scale));
        return mask >= Sharpness.SmallestMask ? mask : 0;
    }

    /// <summary>Equation 4 over g: m + (2w²/τ)·m(1 − m), and m where masks are hard.</summary>
    private static double Factor(double w, double threshold, double scale)
    {
        var mask = Mask(w, threshold, scale);
        return mask == 0 || threshold * scale >= Sharpness.Hard
            ? mask
            : mask * (1 + (2 * w * w * scale * scale * mask * Odds(w, threshold, scale)));
    }

    /// <summary>(1 − m)/m.</summary>
    private static double Odds(double w, double threshold, double scale) =>
        Math.Exp(((threshold * threshold) - (w * w)) * scale * scale);

    private static double Normal(double product) => Math.Abs(product) >= Precision.SmallestNormal ? product : 0;
}
