using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

public sealed class AccumulatedGradientTests
{
    public static TheoryData<string> Strategies { get; } = ["unstructured", "2:4", "channel"];

    [Theory]
    [MemberData(nameof(Strategies))]
    public void GradientsThatAreNeverZeroed_AddUpExactlyOverScopes(string strategy)
    {
        using var loop = new TrainingLoop(strategy);
        using var scope = NewDisposeScope();
        var expected = loop.Weight.zeros_like();
        for (var micro = 0; micro < 5; micro++)
        {
            loop.Model.zero_grad();
            using (loop.Pruner.Mask())
                loop.Backward(micro, factor: micro % 2 == 0 ? 1 : 1e-4);
            expected += loop.Weight.grad!;
        }

        loop.Model.zero_grad();
        for (var micro = 0; micro < 5; micro++)
        {
            using (loop.Pruner.Mask())
                loop.Backward(micro, factor: micro % 2 == 0 ? 1 : 1e-4);
        }

        Assert.Equal(expected.bytes.ToArray(), loop.Weight.grad!.bytes.ToArray());
    }

    /// <summary>Whole numbers of which one is a power of two times the other leave a mark just too small to be taken.</summary>
    [Fact]
    public void GradientsOfAnySizeOverAnEarlierOne_AreRightAndNoError()
    {
        using var scope = NewDisposeScope();
        for (var exponent = -70; exponent <= 70; exponent++)
        {
            using var model = Linear(2, 2, hasBias: false);
            using var pruner = new PdpPruner(model, TrainingLoop.Options);
            pruner.BeginEpoch(0);
            var gradients = new List<float[]>();
            foreach (var earlier in (bool[])[true, false])
            {
                model.zero_grad();
                for (var scopes = earlier ? 0 : 1; scopes < 2; scopes++)
                {
                    using (pruner.Mask())
                        model.forward(full([1, 2], scopes == 0 ? 1f : MathF.ScaleB(1, exponent))).sum().backward();
                }

                gradients.Add([.. model.weight!.grad!.data<float>()]);
            }

            model.zero_grad();
            using (pruner.Mask())
                model.forward(ones(1, 2)).sum().backward();

            Assert.Equal(model.weight!.grad!.data<float>().Zip(gradients[1], (one, other) => one + other), gradients[0]);
            pruner.Mask().Dispose();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void BackwardPassesInOneScope_GiveTheSumOfTheirGradients(int passes)
    {
        using var loop = new TrainingLoop("unstructured");
        using var scope = NewDisposeScope();
        var expected = loop.Weight.zeros_like(dtype: ScalarType.Float64);
        for (var pass = 0; pass < passes; pass++)
        {
            loop.Model.zero_grad();
            using (loop.Pruner.Mask())
                loop.Backward(pass);
            expected += loop.Weight.grad!;
        }

        loop.Model.zero_grad();
        using (loop.Pruner.Mask())
        {
            for (var pass = 0; pass < passes; pass++)
                loop.Backward(pass);
        }

        Assert.Equal(ScalarType.Float32, loop.Weight.grad!.dtype);
        Assert.True((expected - loop.Weight.grad).abs().max().item<double>() < 1e-6 * expected.abs().max().item<double>());
        loop.Pruner.Mask().Dispose();
    }

    /// <summary>One number of 128 is a power of two in bfloat16, whose mark may be just too small to be taken.</summary>
    [Fact]
    public void GradientsInBFloat16_OverMicroBatches_AreNoError()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            using var scope = NewDisposeScope();
            manual_seed(seed);
            using var model = Sequential(("a", Linear(64, 128)), ("relu", ReLU()), ("b", Linear(128, 10))).to(ScalarType.BFloat16);
            using var pruner = new PdpPruner(model, TrainingLoop.Options);
            pruner.BeginEpoch(0);
            for (var step = 0; step < 2; step++)
            {
                model.zero_grad();
                for (var micro = 0; micro < 4; micro++)
                {
                    using (pruner.Mask())
                    {
                        var outputs = model.call(randn(32, 64).to(ScalarType.BFloat16)).to(ScalarType.Float32);
                        functional.cross_entropy(outputs, randint(0, 10, [32], dtype: ScalarType.Int64)).backward();
                    }
                }
            }

            pruner.Mask().Dispose();
        }
    }

    [Theory]
    [InlineData(1e-10)]
    [InlineData(1e-8)]
    [InlineData(1e-7)]
    [InlineData(1e-6)]
    [InlineData(1e-3)]
    [InlineData(1e6)]
    public void BackwardPassesOfAnySizesInOneScope_AreNoError(double factor)
    {
        using var loop = new TrainingLoop("unstructured");
        for (var step = 0; step < 4; step++)
        {
            loop.Model.zero_grad();
            using (loop.Pruner.Mask())
            {
                loop.Backward(1);
                loop.Backward(2, factor);
            }
        }

        loop.Pruner.Mask().Dispose();
    }

    [Fact]
    public void WeightsClampedBetweenMicroBatches_AreNoError()
    {
        using var loop = new TrainingLoop("unstructured");
        for (var step = 0; step < 3; step++)
        {
            loop.Optimizer.zero_grad();
            for (var micro = 0; micro < 8; micro++)
            {
                using (no_grad())
                    loop.Weight.clamp_(-1, 1);
                using (loop.Pruner.Mask())
                    loop.Backward(micro);
            }

            loop.Optimizer.step();
        }
    }
}
