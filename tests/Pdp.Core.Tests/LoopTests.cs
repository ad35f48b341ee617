using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>
/// Slips in a training loop around its scopes: each is right, or an error that says what to do; what only looks like one is no error.
/// </summary>
public sealed class LoopTests
{
    [Fact]
    public void NetworksThatTrainInTurn_WithGradientsLeftFromTheOther_AreNoError()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        using var first = optim.SGD([parameters["first.weight"]], 0.01);
        using var others = optim.SGD([parameters["second.weight"], parameters["last.weight"]], 0.01);
        using var pruner = new PdpPruner(model, TrainingLoop.Options);
        pruner.BeginEpoch(0);

        for (var step = 0; step < 6; step++)
        {
            first.zero_grad();
            using (pruner.Mask())
                model.call(TestModels.Batch(step).Inputs).sum().backward();
            first.step();
            others.zero_grad();
            // The gradient of the first layer is left from its own turn here, and added to.
            using (pruner.Mask())
                model.call(TestModels.Batch(step + 10).Inputs).sum().backward();
            others.step();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NetworksThatRestForAnEpoch_WithMomentum_AreNoError(bool isFrozen)
    {
        using var scope = NewDisposeScope();
        using var model = new Branches();
        using var optimizer = optim.SGD(model.parameters(), 0.01, momentum: 0.9);
        using var pruner = new PdpPruner(model, TrainingLoop.Options with { Exclude = ["second"] });
        for (var step = 0; step < 4 * 20; step++)
        {
            pruner.BeginEpoch(step / 20, step % 20, 20);
            var isSecond = step / 20 % 2 == 1;
            if (isFrozen)
                model.Branch(false).weight!.requires_grad = !isSecond;
            optimizer.zero_grad();
            using (pruner.Mask())
                model.Branch(isSecond).forward(TestModels.Batch(step).Inputs).sum().backward();
            foreach (var parameter in model.parameters())
                Scale(parameter.grad);
            optimizer.step();
        }

        pruner.Commit();

        static void Scale(Tensor? gradient)
        {
            using var _ = no_grad();
            using Scalar factor = 0.5;
            gradient?.mul_(factor);
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void WeightsAveragedForEvaluationAndCommit_AreNoError(ScalarType type)
    {
        using var loop = new TrainingLoop("unstructured", type: type);
        for (var epoch = 0; epoch < 4; epoch++)
        {
            for (var step = 0; step < 3; step++)
                loop.Step(epoch + (step / 3.0));
            Average();
            loop.Evaluate();
            Average();
        }

        loop.Pruner.BeginEpoch(4);
        Average();
        loop.Evaluate();
        loop.Pruner.Commit();

        void Average()
        {
            using var _ = no_grad();
            using Scalar factor = 0.99;
            loop.Weight.mul_(factor);
        }
    }

    [Fact]
    public void Commit_AfterTrainingWithoutAScope_IsAnError()
    {
        using var loop = new TrainingLoop("unstructured");
        for (var step = 0; step < 3; step++)
        {
            loop.Optimizer.zero_grad();
            loop.Backward(step);
            loop.Optimizer.step();
        }

        Assert.Contains(
            "passed without a mask scope for training", Assert.Throws<InvalidOperationException>(() => loop.Pruner.Commit()).Message);
    }

    [Fact]
    public void Epoch_TrainedWithoutAScopeAndEvaluatedUnderOne_IsAnError()
    {
        using var loop = new TrainingLoop("unstructured");

        loop.Optimizer.zero_grad();
        loop.Backward(1);
        loop.Optimizer.step();
        loop.Evaluate();
        var fault = Assert.Throws<InvalidOperationException>(() => loop.Pruner.BeginEpoch(1));

        Assert.Contains("Epoch 0 passed without a mask scope for training", fault.Message);
    }

    [Fact]
    public void Epoch_InWhichThePrunedLayersRest_IsNoError()
    {
        using var loop = new TrainingLoop("unstructured");
        loop.Step(0);
        foreach (var weight in loop.Model.parameters())
            weight.requires_grad = false;

        for (var epoch = 1; epoch < 4; epoch++)
        {
            loop.Pruner.BeginEpoch(epoch);
            loop.Evaluate();
        }
    }

    [Fact]
    public void BatchesThatAlternateBetweenBranches_WithMomentum_AreNoError()
    {
        using var scope = NewDisposeScope();
        using var model = new Branches();
        using var optimizer = optim.SGD(model.parameters(), 0.01, momentum: 0.9);
        using var pruner = new PdpPruner(model, TrainingLoop.Options with { Exclude = ["second"] });
        pruner.BeginEpoch(0);

        for (var step = 0; step < 30; step++)
        {
            optimizer.zero_grad();
            using (pruner.Mask())
                model.Branch(step >= 4).forward(TestModels.Batch(step).Inputs).sum().backward();
            optimizer.step();
        }
    }

    [Fact]
    public void EvaluationThatRecordsGradients_ThenLoadingWeights_IsNoError()
    {
        using var loop = new TrainingLoop("unstructured");
        loop.Step(0);
        var state = loop.Model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());

        for (var i = 0; i < 12; i++)
        {
            using (loop.Pruner.Mask())
                loop.Model.call(TestModels.Batch(1).Inputs);
            loop.Model.load_state_dict(state.ToDictionary(pair => pair.Key, pair => pair.Value + i));
        }

        loop.Step(0);
    }

    [Fact]
    public void BackwardBehindTheScope_FromSomeStepOn_IsFoundWithinTwentySteps()
    {
        using var scope = NewDisposeScope();
        using var model = Linear(16, 4);
        using var optimizer = optim.SGD(model.parameters(), 0.01);
        using var pruner = new PdpPruner(model, TrainingLoop.Options);
        var clock = 0;
        void Step(bool isInside)
        {
            pruner.BeginEpoch(0, clock++, 100);
            optimizer.zero_grad();
            Tensor loss;
            using (pruner.Mask())
            {
                loss = model.forward(TestModels.Batch(1).Inputs).sum();
                if (isInside)
                    loss.backward();
            }

            if (!isInside)
                loss.backward();
            optimizer.step();
        }

        for (var step = 0; step < 5; step++)
            Step(isInside: true);
        var fault = Assert.Throws<InvalidOperationException>(() =>
        {
            for (var step = 0; step < 20; step++)
                Step(isInside: false);
        });

        Assert.Contains("call backward() inside the scope", fault.Message);
    }
}
