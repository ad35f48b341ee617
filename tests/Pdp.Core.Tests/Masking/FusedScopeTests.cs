using System.Runtime.InteropServices;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

public sealed class FusedScopeTests
{
    private static readonly PdpOptions Options = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    };

    public FusedScopeTests() => manual_seed(1);

    [Fact]
    public void Scope_OverSeveralScopes_AddsCorrectedGradients()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(96, 100, hasBias: false);
        using var pruner = new PdpPruner(layer, Options);
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
        using var pruner = new PdpPruner(layer, Options);
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
        using var pruner = new PdpPruner(layer, Options);
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
        using var pruner = new PdpPruner(layer, Options);
        pruner.BeginEpoch(0);
        var inputs = randn(4, 16).requires_grad_();
        Tensor loss;

        using (pruner.Mask())
            loss = layer.call(inputs).sum();

        Assert.Contains("modified by an inplace operation", Assert.Throws<ExternalException>(() => loss.backward()).Message);
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
        using var model = Sequential(("a", Linear(128, 128)), ("b", Linear(272, 256)), ("c", Conv2d(64, 64, 3)));
        using var pruner = new PdpPruner(model, Options with
        {
            Rules = [new("b.weight") { Strategy = NofM.Keep(2, of: 4) }],
            Schedule = new LinearRamp(0, 1),
        });
        Parameter[] weights = [.. model.parameters().Where(parameter => parameter.dim() > 1)];
        Tensor[] gradients = [.. weights.Select(weight => randn(weight.shape))];
        pruner.BeginEpoch(0);
        for (var step = 1; step <= 50; step++)
            Step(pruner, weights, gradients, dropsLast: step % 2 == 0, 0.001 * step);

        var next = 51;
        Assert.Equal(0, Allocations.Of(() =>
        {
            Step(pruner, weights, gradients, dropsLast: next % 2 == 0, 0.001 * next);
            next++;
        }));
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

            using var pruner = new PdpPruner(model, Options);
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
}
