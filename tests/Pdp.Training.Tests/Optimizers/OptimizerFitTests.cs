using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>Parameters, gradients and states that stop fitting one another in ways that libtorch does not notice.</summary>
public sealed class OptimizerFitTests
{
    [Theory]
    [InlineData(new long[] { 3, 4 }, new long[] { 4, 3 })]
    [InlineData(new long[] { 2, 3, 4 }, new long[] { 2, 4, 3 })]
    public void Step_WhenAGradientHasAsManyNumbersInAnotherShape_IsRefused(long[] shape, long[] other)
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(shape));
        using var optimizer = new FusedAdam([("w", weight)], new AdamOptions());
        weight.grad = ones(other);

        var error = Assert.Throws<InvalidOperationException>(() => optimizer.step());

        Assert.Contains($"'w' is Float32 [{string.Join(", ", other)}]", error.Message, StringComparison.Ordinal);
        Assert.All(weight.data<float>(), value => Assert.Equal(1, value));
    }

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    public void Step_AfterAnEmbeddingWasConvertedInPlace_IsRefused(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var model = Embedding(3, 2);
        using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0.1, Momentum = 0.9 });
        model.call(tensor(new long[] { 1 })).sum().backward();
        optimizer.step();

        model.to(type);
        optimizer.zero_grad();
        model.call(tensor(new long[] { 1 })).sum().backward();

        var error = Assert.Throws<InvalidOperationException>(() => optimizer.step());
        Assert.Contains($"'weight' is {type} [3, 2] on cpu, and its state Float32", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ZeroGrad_WhenAParameterWasDisposed_ClearsNone()
    {
        using var scope = NewDisposeScope();
        Parameter first = new(ones(2)), second = new(ones(2));
        using var optimizer = new FusedSgd([("first", first), ("second", second)], new SgdOptions { LearningRate = 0.1 });
        first.grad = ones(2);
        second.Dispose();

        Assert.Throws<InvalidOperationException>(optimizer.zero_grad);

        Assert.NotNull(first.grad);
    }

    [Fact]
    public void Adam_WhenItsEpsilonIsZeroInFloat16_IsRefused()
    {
        using var scope = NewDisposeScope();
        (string, Parameter)[] parameters = [("wide", new Parameter(ones(2))), ("w", new Parameter(ones(2, ScalarType.Float16)))];

        var error = Assert.Throws<ArgumentException>(() => new FusedAdamW(parameters, new AdamOptions()));

        Assert.Contains("Epsilon is 1E-08, which is 0 in float16", error.Message, StringComparison.Ordinal);
        using var optimizer = new FusedAdamW(parameters, new AdamOptions { Epsilon = 1e-7 });
        parameters[1].Item2.grad = zeros(2, ScalarType.Float16);
        optimizer.step();
        Assert.True(parameters[1].Item2.isfinite().all().item<bool>());
    }
}
