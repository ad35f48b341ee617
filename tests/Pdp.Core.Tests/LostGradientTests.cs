using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Tests;

public sealed class LostGradientTests
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
}
