using Pdp.Masking;
using System.Runtime.InteropServices;
using Pdp.Numerics;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>The kernels against the equations in float64 tensor operations.</summary>
public sealed class FusedModelTests
{
    public static TheoryData<string, double, bool> Cases()
    {
        var cases = new TheoryData<string, double, bool>();
        foreach (var weight in (string[])["linear", "odd", "conv", "wide", "pointwise", "transposed"])
        {
            foreach (var (temperature, isRelative) in ((double, bool)[])[(0.25, true), (0.01, true), (1e-5, true), (1e-3, false), (1e-37, false)])
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
    public void Scope_OverSeveralScopes_AddsCorrectedGradients()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(96, 100, hasBias: false);
        using var pruner = new PdpPruner(layer, Options(new Unstructured(), Temperature.Relative(0.5)));
        var (first, second) = (randn(100, 96), randn(100, 96));
        pruner.BeginEpoch(0);
        var (a, b) = (GradientOf(pruner, layer, first).clone(), GradientOf(pruner, layer, second).clone());
        layer.zero_grad();

        using (pruner.Mask())
            layer.weight!.mul(first).sum().backward();
        var kept = layer.weight.grad!;
        using (pruner.Mask())
            layer.weight.mul(second).sum().backward();

        Close.Equal(a.add(b).Values(), layer.weight.grad!.Values(), Close.Float32, 1e-6);
        Assert.Equal(kept.Values(), layer.weight.grad!.Values());
    }

    [Fact]
    public void Scope_WithAGradientOfOtherStrides_CorrectsItAllTheSame()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(96, 100, hasBias: false);
        using var pruner = new PdpPruner(layer, Options(new Unstructured(), Temperature.Relative(0.5)));
        var upstream = randn(96, 100);
        pruner.BeginEpoch(0);
        var expected = GradientOf(pruner, layer, upstream.t()).Values();

        foreach (var before in (double[])[0, 1])
        {
            layer.weight!.grad = before == 0 ? null : ones(100, 96);
            using (pruner.Mask())
                layer.weight.grad = upstream.clone().t();

            Close.Equal([.. expected.Select(value => value + before)], layer.weight.grad!.Values(), Close.Float32, 1e-6);
        }
    }

    [Fact]
    public void Scope_WhoseWeightGotOtherMemoryInside_RestoresItAndFailsAtTheNext()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(96, 100, hasBias: false);
        using var pruner = new PdpPruner(layer, Options(new Unstructured(), Temperature.Relative(0.5)));
        var before = layer.weight!.Bits();
        pruner.BeginEpoch(0);

        using (pruner.Mask())
        using (no_grad())
            layer.weight.set_(randn(100, 96));

        Assert.Equal(before, layer.weight.Bits());
        Assert.Contains("changed inside", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message);
    }

    [Fact]
    public void Backward_BehindAScopeWhoseWeightItNeeds_IsAnErrorOfAutograd()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(16, 8);
        using var pruner = new PdpPruner(layer, Options(new Unstructured(), Temperature.Relative(0.5)));
        pruner.BeginEpoch(0);
        var inputs = randn(4, 16).requires_grad_();
        Tensor loss;

        using (pruner.Mask())
            loss = layer.call(inputs).sum();

        Assert.Contains("modified by an inplace operation", Assert.Throws<ExternalException>(() => loss.backward()).Message);
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

    [Fact]
    public void Scope_WithOneThreadOrTwo_GivesTheSameBits()
    {
        var (alone, together) = (BitsWithThreads(1), BitsWithThreads(2));

        Assert.Equal(alone.Masked, together.Masked);
        Assert.Equal(alone.Gradient, together.Gradient);
    }

    [Fact]
    public void Scopes_AfterTheFirst_AllocateNothing()
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(("a", Linear(128, 128)), ("b", Linear(512, 1024)), ("c", Conv2d(64, 64, 3)));
        using var pruner = new PdpPruner(model, Options(new Unstructured(), Temperature.Relative(0.5)) with
        {
            Rules = [new("b.weight") { Strategy = NofM.Keep(2, of: 4) }],
            Schedule = new LinearRamp(0, 1),
        });
        Parameter[] weights = [.. model.parameters().Where(parameter => parameter.dim() > 1)];
        Tensor[] gradients = [.. weights.Select(weight => randn(weight.shape))];
        pruner.BeginEpoch(0);
        for (var step = 1; step <= 50; step++)
            Step(pruner, weights, gradients, dropsLast: step % 2 == 0, 0.001 * step);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 51; step <= 100; step++)
            Step(pruner, weights, gradients, dropsLast: step % 2 == 0, 0.001 * step);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Step(PdpPruner pruner, Parameter[] weights, Tensor[] gradients, bool dropsLast, double epoch)
    {
        pruner.BeginEpoch(epoch);
        using (pruner.Mask())
        {
            for (var i = 0; i < weights.Length; i++)
                weights[i].grad = gradients[i];
        }

        for (var i = 0; i < weights.Length && dropsLast; i++)
            weights[i].grad = null;
    }

    private static (byte[] Masked, byte[] Gradient) BitsWithThreads(int threads)
    {
        set_num_threads(threads);
        try
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(5);
            using var model = Sequential(("a", Linear(700, 999, hasBias: false)), ("b", Linear(30, 50, hasBias: false)));
            using (no_grad())
            {
                foreach (var parameter in model.parameters())
                    parameter.copy_(randn(parameter.shape, generator: generator));
            }

            using var pruner = new PdpPruner(model, Options(new Unstructured(), Temperature.Relative(0.5)));
            var weight = model.parameters().First();
            pruner.BeginEpoch(0);
            byte[] masked;
            using (pruner.Mask())
            {
                weight.mul(randn(weight.shape, generator: generator)).sum().backward();
                masked = weight.Bits();
            }

            return (masked, weight.grad!.Bits());
        }
        finally
        {
            set_num_threads(1);
        }
    }

    private static Tensor GradientOf(PdpPruner pruner, Linear layer, Tensor upstream)
    {
        layer.zero_grad();
        using (pruner.Mask())
            layer.weight!.mul(upstream).sum().backward();
        return layer.weight.grad!;
    }

    private static void RequireEquations(string kind, IMaskStrategy strategy, double temperature, bool isRelative, double scale = 1)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        using var layer = Layer(kind);
        var weight = layer.parameters().Single();
        using (no_grad())
            weight.copy_(randn(weight.shape, generator: generator).mul(tensor((float)scale)));
        using var pruner = new PdpPruner(layer, Options(strategy, isRelative ? Temperature.Relative(temperature) : Temperature.Absolute(temperature)));
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
