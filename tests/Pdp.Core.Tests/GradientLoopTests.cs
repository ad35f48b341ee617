using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>What acts on gradients inside a scope is an error that says where it belongs; gradients that are merely unusual are right, and none.</summary>
public sealed class GradientLoopTests
{
    public static TheoryData<string> Strategies { get; } = ["unstructured", "2:4", "channel"];

    [Theory]
    [InlineData("unstructured", false)]
    [InlineData("2:4", false)]
    [InlineData("channel", false)]
    [InlineData("unstructured", true)]
    [InlineData("2:4", true)]
    [InlineData("channel", true)]
    public void ZeroGradInsideTheScope_IsAnErrorAfterTheFirstGradientThatItMisses(string strategy, bool isDropped)
    {
        using var loop = new TrainingLoop(strategy, learningRate: 0);
        void Step()
        {
            using (loop.Pruner.Mask())
            {
                if (isDropped)
                    loop.Model.zero_grad();
                else
                    loop.Optimizer.zero_grad();
                loop.Backward(1);
            }

            loop.Optimizer.step();
        }

        Step();
        Step();

        Assert.Contains("call optimizer.zero_grad() before pruner.Mask()", Assert.Throws<InvalidOperationException>(Step).Message);
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public void GradientsDroppedBehindBackwardInsideTheScope_AreAnErrorAfterAnEpochAndAtTheCommit(string strategy)
    {
        using var loop = new TrainingLoop(strategy);
        void Step(double epoch)
        {
            loop.Pruner.BeginEpoch(epoch);
            using (loop.Pruner.Mask())
            {
                loop.Backward(1);
                loop.Model.zero_grad();
            }

            loop.Optimizer.step();
        }

        for (var step = 0; step < 20; step++)
            Step(step / 20.0);

        Assert.Contains("call optimizer.zero_grad() before pruner.Mask()", Assert.Throws<InvalidOperationException>(() => Step(1)).Message);
        for (var step = 20; step < 30; step++)
            Step(step / 20.0);
        loop.Step(1.5);
        loop.Pruner.Commit();
    }

    [Fact]
    public void GradientsDroppedInTheScopesOfAnAttackOnTheInputs_AreNoErrorBesideTraining()
    {
        using var loop = new TrainingLoop("unstructured", learningRate: 1e-4);
        for (var step = 0; step < 40; step++)
        {
            Attack();
            loop.Step(step / 10.0);
        }

        loop.Pruner.BeginEpoch(4);
        Attack();
        loop.Pruner.Commit();
        Attack();
        loop.Pruner.BeginEpoch(5);
        Attack();
        loop.Pruner.Commit();

        void Attack()
        {
            for (var attack = 0; attack < 3; attack++)
            {
                using var mask = loop.Pruner.Mask();
                loop.Backward(attack);
                loop.Model.zero_grad();
            }
        }
    }

    [Fact]
    public void GradientsDroppedInAllOfARunOfOneEpoch_AreAnErrorAtTheCommit()
    {
        using var loop = new TrainingLoop("unstructured");
        for (var step = 0; step < 3; step++)
        {
            using var mask = loop.Pruner.Mask();
            loop.Backward(step);
            loop.Model.zero_grad();
        }

        Assert.Contains("No gradient was left", Assert.Throws<InvalidOperationException>(() => loop.Pruner.Commit()).Message);
    }

    [Theory]
    [InlineData(ScalarType.Float64, true)]
    [InlineData(ScalarType.Float64, false)]
    public void GradientsDroppedOrZeroedInsideTheScopeOfAFloat64Model_AreAnErrorWithinTwentySteps(ScalarType type, bool isDropped)
    {
        using var loop = new TrainingLoop("unstructured", learningRate: 0, type: type);
        void Step()
        {
            using (loop.Pruner.Mask())
            {
                if (isDropped)
                    loop.Model.zero_grad();
                else
                    loop.Optimizer.zero_grad();
                loop.Backward(1);
            }

            loop.Optimizer.step();
        }

        var fault = Assert.Throws<InvalidOperationException>(() =>
        {
            for (var step = 0; step < 20; step++)
                Step();
        });

        Assert.Contains("call optimizer.zero_grad() before pruner.Mask()", fault.Message);
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public void ZeroGradInsideTheFirstOfTwoScopesOfAStep_IsAnErrorAtTheSecondStep(string strategy)
    {
        using var loop = new TrainingLoop(strategy);
        void Step()
        {
            using (loop.Pruner.Mask())
            {
                loop.Optimizer.zero_grad();
                loop.Backward(1);
            }

            using (loop.Pruner.Mask())
                loop.Backward(2);
            loop.Optimizer.step();
        }

        Step();

        Assert.Contains("zero_grad() before", Assert.Throws<InvalidOperationException>(Step).Message);
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public void ZeroGradBeforeTheScope_InAnyOfItsForms_IsNoError(string strategy)
    {
        using var loop = new TrainingLoop(strategy);
        for (var step = 0; step < 6; step++)
        {
            if (step % 2 == 0)
                loop.Optimizer.zero_grad();
            else
                loop.Model.zero_grad();
            for (var micro = 0; micro < 3; micro++)
            {
                using (loop.Pruner.Mask())
                    loop.Backward(micro);
            }

            loop.Optimizer.step();
        }
    }

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
    [MemberData(nameof(Strategies))]
    public void ClippingInsideTheScope_IsAnErrorAtTheNextCall(string strategy)
    {
        using var loop = new TrainingLoop(strategy);
        using (loop.Pruner.Mask())
        {
            loop.Backward(1, factor: 100);
            nn.utils.clip_grad_norm_(loop.Model.parameters(), 1);
        }

        var fault = Assert.Throws<InvalidOperationException>(() => loop.Pruner.Mask());

        Assert.Contains("clip and scale gradients after the scope", fault.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GradientsChangedInsideTheScope_AreAnErrorAtTheNextCall(bool isClamped)
    {
        using var loop = new TrainingLoop("unstructured");
        using (loop.Pruner.Mask())
        {
            loop.Backward(1);
            using var _ = no_grad();
            using Scalar limit = 0.01, negative = -0.01, factor = 0.3;
            foreach (var gradient in loop.Model.parameters().Select(parameter => parameter.grad).OfType<Tensor>())
            {
                if (isClamped)
                    gradient.clamp_(negative, limit);
                else
                    gradient.mul_(factor);
            }
        }

        Assert.Throws<InvalidOperationException>(() => loop.Pruner.BeginEpoch(0.5));
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

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    public void Gradients_InTheFirstScopesAndLater_AreTheSameBits(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var model = Linear(16, 4).to(type);
        using var pruner = new PdpPruner(model, TrainingLoop.Options);
        pruner.BeginEpoch(0);
        byte[][] gradients = [.. Enumerable.Range(0, 20).Select(_ =>
        {
            model.zero_grad();
            using (pruner.Mask())
                model.forward(TestModels.Batch(1).Inputs.to(type)).sum().backward();
            return model.weight!.grad!.bytes.ToArray();
        })];

        Assert.All(gradients, gradient => Assert.Equal(gradients[^1], gradient));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Gradients_WhoseGraphIsKept_AreRightAndNoError(ScalarType type)
    {
        using var loop = new TrainingLoop("unstructured", type: type);
        using var scope = NewDisposeScope();
        var gradients = new List<byte[]>();
        foreach (var keepsGraph in (bool[])[false, true])
        {
            loop.Model.zero_grad();
            for (var micro = 0; micro < 2; micro++)
            {
                using (loop.Pruner.Mask())
                    loop.Forward(micro).sum().backward(create_graph: keepsGraph && micro == 1);
            }

            gradients.Add(loop.Weight.grad!.detach().bytes.ToArray());
        }

        Assert.Equal(gradients[0], gradients[1]);
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
    public void SparseGradients_OfTokensThatRepeat_AreNoError()
    {
        using var scope = NewDisposeScope();
        using var table = Embedding(100, 16, sparse: true);
        using var pruner = new PdpPruner(table, TrainingLoop.Options with { Include = ["*"] });
        pruner.BeginEpoch(0);
        for (var step = 0; step < 4; step++)
        {
            if (step % 2 == 0)
                table.zero_grad();
            using (pruner.Mask())
                table.call(tensor(new long[] { 1, 2, 1, 5, 1, 2 })).pow(2).sum().backward();
        }

        pruner.Mask().Dispose();
    }

    [Fact]
    public void ZeroGradInsideTheClosureOfLbfgs_IsAnErrorAndNoCrash()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var optimizer = optim.LBFGS(model.parameters(), 0.1);
        using var pruner = new PdpPruner(model, TrainingLoop.Options);
        pruner.BeginEpoch(0);
        Tensor Closure()
        {
            using (pruner.Mask())
            {
                optimizer.zero_grad();
                var loss = model.call(TestModels.Batch(1).Inputs).pow(2).sum();
                loss.backward();
                return loss.detach();
            }
        }

        for (var step = 0; step < 2; step++)
        {
            Closure();
            using var _ = no_grad();
            using Scalar factor = -0.01;
            foreach (var parameter in model.parameters())
                parameter.add_(parameter.grad!, factor);
        }

        Assert.Throws<InvalidOperationException>(() => pruner.Mask());
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
