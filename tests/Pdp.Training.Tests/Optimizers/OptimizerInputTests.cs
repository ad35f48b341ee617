using TorchSharp;
using TorchSharp.Modules;
using static Pdp.Training.Tests.Optimizers.OptimizerScene;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>What optimizers say to wrong parameters, gradients and options.</summary>
public sealed class OptimizerInputTests
{
    [Fact]
    public void Step_WhenAGradientDoesNotFit_NamesItAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        Parameter good = new(ones(2)), bad = new(ones(2));
        using var optimizer = new FusedSgd([("good", good), ("bad", bad)], new SgdOptions { LearningRate = 0.1 });
        good.grad = ones(2);
        foreach (var gradient in new[] { ones(3), ones(2, ScalarType.Float64), ones(1, 2) })
        {
            bad.grad = gradient;
            Assert.Contains("'bad'", Assert.Throws<InvalidOperationException>(() => optimizer.step()).Message, StringComparison.Ordinal);
        }

        Assert.Equal(new[] { 1f, 1f }, good.data<float>().ToArray());
    }

    [Fact]
    public void Step_AfterTheModelWasMoved_SaysToMakeTheOptimizerAfterwards()
    {
        using var model = Linear(2, 2);
        using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0.1 });

        model.to(ScalarType.Float64);

        foreach (var call in new Action[] { () => optimizer.step(), optimizer.zero_grad })
            Assert.Contains("after the model is moved", Assert.Throws<InvalidOperationException>(call).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_AfterAWeightWasCut_SaysSo()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(4));
        using var optimizer = new FusedSgd([("w", weight)], new SgdOptions { LearningRate = 0.1, Momentum = 0.9 });
        weight.grad = ones(4);
        optimizer.step();

        using (no_grad())
            weight.set_(ones(2));
        weight.grad = ones(2);

        Assert.Contains(
            "'w' is Float32 [2] on cpu, and its state Float32 [4] on cpu",
            Assert.Throws<InvalidOperationException>(() => optimizer.step()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AnyCall_AfterDispose_SaysSo()
    {
        using var scope = NewDisposeScope();
        var optimizer = new FusedSgd(Fixed(), new SgdOptions { LearningRate = 0.1 });
        optimizer.Dispose();

        Assert.Throws<ObjectDisposedException>(() => optimizer.step());
        Assert.Throws<ObjectDisposedException>(optimizer.zero_grad);
        Assert.Throws<ObjectDisposedException>(() => optimizer.GetState());
        foreach (var call in new Action<Dictionary<string, Tensor>>[] { optimizer.SetState, optimizer.CheckState, optimizer.MaskState })
            Assert.Throws<ObjectDisposedException>(() => call([]));
        Assert.Throws<ObjectDisposedException>(optimizer.ResetState);
    }

    [Fact]
    public void Step_AfterAWeightWasReshaped_SaysSo()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(2, 4));
        using var optimizer = new FusedSgd([("w", weight)], new SgdOptions { LearningRate = 0.1, Momentum = 0.9 });
        weight.grad = ones(2, 4);
        optimizer.step();

        using (no_grad())
            weight.set_(ones(4, 2));
        weight.grad = ones(4, 2);

        Assert.Contains(
            "'w' is Float32 [4, 2]", Assert.Throws<InvalidOperationException>(() => optimizer.step()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_WhenTheParametersAreWrong_SaysSo()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(3));
        var options = new SgdOptions { LearningRate = 0.1 };

        Assert.Throws<ArgumentException>(() => new FusedSgd(Array.Empty<(string, Parameter)>(), options));
        Assert.Contains("same parameter", Assert.Throws<ArgumentException>(() => new FusedSgd(
            [new ParameterGroup([("a", weight)]), new ParameterGroup([("b", weight)])], options)).Message, StringComparison.Ordinal);
        Assert.Contains("'c' is ComplexFloat32", Assert.Throws<ArgumentException>(() => new FusedSgd(
            [("c", new Parameter(ones(1, ScalarType.ComplexFloat32)))], options)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "named 'a'",
            Assert.Throws<ArgumentException>(() => new FusedSgd([("a", weight), ("a", new Parameter(ones(1)))], options)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => new FusedSgd([("a", weight)], null!));
        Assert.Throws<ArgumentNullException>(() => new FusedAdam([("a", weight)], null!));
        Assert.Throws<ArgumentNullException>(() => new FusedSgd([("a", null!)], options));
        Assert.Throws<ArgumentException>(() => new FusedSgd([("a", weight)], options with { IsNesterov = true }));
    }

    [Theory]
    [InlineData(-1e-9)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Options_WhenANumberIsOutOfRange_SaySo(double value)
    {
        var options = new SgdOptions { LearningRate = 0 };

        Assert.Throws<ArgumentOutOfRangeException>(() => options with { LearningRate = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => options with { WeightDecay = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => options with { Momentum = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => options with { Dampening = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { LearningRate = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { Beta1 = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { Beta2 = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { Epsilon = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { WeightDecay = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => ParameterGroup.DecayWeightsOnly([], value));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ParameterGroup([]) { LearningRate = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ParameterGroup([]) { InitialLearningRate = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ParameterGroup([]) { WeightDecay = value });
    }

    [Fact]
    public void Options_AboveTheUpperEndOfTheirRanges_AreRefused()
    {
        var options = new SgdOptions { LearningRate = 0, Dampening = 1 };

        Assert.Throws<ArgumentOutOfRangeException>("Dampening", () => options with { Dampening = 1.01 });
        Assert.Throws<ArgumentOutOfRangeException>("Momentum", () => options with { Momentum = 1 });
        Assert.Throws<ArgumentOutOfRangeException>("Beta1", () => new AdamOptions { Beta1 = 1 });
        Assert.Throws<ArgumentOutOfRangeException>("Beta2", () => new AdamOptions { Beta2 = 1 });
    }

    [Fact]
    public void LearningRate_WhenBelowZero_IsRefusedAndStays()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new FusedSgd([("w", new Parameter(ones(1)))], new SgdOptions { LearningRate = 0.1 });

        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.LearningRate = -1e-9);
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.Groups[0].LearningRate = double.NaN);

        Assert.Equal(0.1, optimizer.LearningRate);
    }
}
