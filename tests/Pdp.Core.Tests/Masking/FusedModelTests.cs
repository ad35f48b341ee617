using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>The kernels against the equations in float64 tensor operations.</summary>
public sealed class FusedModelTests
{
    public FusedModelTests() => manual_seed(1);

    public static TheoryData<string, double, bool> Cases()
    {
        var cases = new TheoryData<string, double, bool>();
        foreach (var weight in (string[])["linear", "odd", "conv", "wide", "pointwise", "transposed"])
        {
            foreach (var (temperature, isRelative) in ((double, bool)[])
                [(0.25, true), (0.01, true), (1e-5, true), (1e-3, false), (1e-37, false)])
                cases.Add(weight, temperature, isRelative);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_Unstructured_GivesTheEquationsToRounding(string weight, double temperature, bool isRelative) =>
        RequireEquations(weight, new Unstructured(), temperature, isRelative);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_NofM_GivesTheEquationsToRounding(string weight, double temperature, bool isRelative)
    {
        foreach (var (kept, of) in ((int, int)[])[(2, 4), (1, 4), (3, 4), (1, 2), (3, 8), (7, 8), (5, 32)])
        {
            if (weight != "odd" || of == 2)
                RequireEquations(weight, NofM.Keep(kept, of), temperature, isRelative);
        }
    }

    [Theory]
    [InlineData("linear", -85)]
    [InlineData("linear", 85)]
    [InlineData("conv", -85)]
    [InlineData("conv", 85)]
    [InlineData("pointwise", -85)]
    [InlineData("pointwise", 85)]
    public void Scope_OverVerySmallOrLargeWeights_GivesTheEquationsToRounding(string weight, int exponent)
    {
        var scale = Math.ScaleB(1, exponent);
        foreach (var strategy in (IMaskStrategy[])[new Unstructured(), NofM.Keep(2, of: 4), NofM.Keep(3, of: 8)])
        {
            RequireEquations(weight, strategy, 0.25, isRelative: true, scale);
            RequireEquations(weight, strategy, 1e-3, isRelative: true, scale);
            RequireEquations(weight, strategy, 1e-3 * scale * scale, isRelative: false, scale);
        }
    }

    [Fact]
    public void Scope_OfSubnormalProducts_MakesThemZeros()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(64, 64, hasBias: false);
        using var pruner = new PdpPruner(layer, Options(new Unstructured(), Temperature.Relative(0.5)));
        using (no_grad())
            layer.weight!.copy_(randn(64, 64, dtype: ScalarType.Float64).mul(tensor(3e-38, dtype: ScalarType.Float64)));
        pruner.BeginEpoch(0);

        using (pruner.Mask())
            Assert.All(layer.weight.Values(), value => Assert.True(value == 0 || Math.Abs(value) >= 1.17549435e-38));
    }

    private static void RequireEquations(string kind, IMaskStrategy strategy, double temperature, bool isRelative, double scale = 1)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        using var layer = Layer(kind);
        var weight = layer.parameters().Single();
        using (no_grad())
            weight.copy_(randn(weight.shape, generator: generator).mul(tensor((float)scale)));
        using var pruner = new PdpPruner(
            layer, Options(strategy, isRelative ? Temperature.Relative(temperature) : Temperature.Absolute(temperature)));
        var upstream = randn(weight.shape, generator: generator);
        var before = weight.Bits();
        pruner.BeginEpoch(0);
        Assert.NotNull(pruner.Masks[0]);
        double[] masked;

        using (pruner.Mask())
        {
            masked = weight.Values();
            weight.mul(upstream).sum().backward();
        }

        Assert.Equal(before, weight.Bits());
        var (expected, gradient) = Reference(pruner.Masks[0], weight, upstream);
        // A logit's rounding error is a few ulps of it; where it matters the logit is below 30.
        Close.Equal(expected, masked, 1e-5, 1e-11 * scale);
        Close.Equal(gradient, weight.grad!.Values(), 1e-5, 1e-5 * gradient.Max(Math.Abs));
    }

    /// <summary>ŵ and ∂L/∂w in float64, from the float32 threshold: t is part of the result that is exact.</summary>
    private static (double[] Masked, double[] Gradient) Reference(PdpMask mask, Tensor weight, Tensor upstream)
    {
        using var _ = no_grad();
        var wide = weight.to_type(ScalarType.Float64);
        var threshold = mask.Threshold(weight).to_type(ScalarType.Float64);
        var boundary = mask.BoundaryOf(wide, threshold, SoftMask.Scale(threshold, mask.Sharpness));
        var masked = mask.Strategy.Spread(SoftMask.Mask(boundary.Logit), mask.Layout).mul(wide);
        var gradient = SoftMask.Gradient(wide, upstream.to_type(ScalarType.Float64), boundary, mask.Strategy, mask.Layout);
        return (masked.Values(), gradient.Values());
    }

    private static Module<Tensor, Tensor> Layer(string kind) => kind switch
    {
        "linear" => Linear(160, 33, hasBias: false),
        "odd" => Linear(6, 7, hasBias: false),
        "conv" => Conv2d(64, 17, 3, bias: false),
        "wide" => Conv2d(32, 37, 5, bias: false),
        "pointwise" => Conv2d(128, 9, 1, bias: false),
        _ => ConvTranspose2d(64, 12, 4, bias: false),
    };

    private static PdpOptions Options(IMaskStrategy strategy, Temperature temperature) => new()
    {
        Epochs = 4,
        Sparsity = strategy.FixedSparsity ?? 0.5,
        Schedule = new ConstantSparsity(),
        Strategy = strategy,
        Temperature = temperature,
    };
}
