using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>Slips in a training loop around its scopes: each is right, or an error that says what to do; what only looks like one is no error.</summary>
public sealed class LoopTests
{
    public static TheoryData<string> Strategies { get; } = ["unstructured", "2:4", "channel"];

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

        Assert.Contains("passed without a mask scope for training", Assert.Throws<InvalidOperationException>(() => loop.Pruner.Commit()).Message);
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

    [Theory]
    [MemberData(nameof(Strategies))]
    public void TwoPruners_OfOneModel_AreAnErrorUntilTheFirstIsDisposed(string strategy)
    {
        using var loop = new TrainingLoop(strategy);
        using var second = new PdpPruner(loop.Model, TrainingLoop.Options);

        var fault = Assert.Throws<InvalidOperationException>(() => second.BeginEpoch(0));
        loop.Pruner.Dispose();
        second.BeginEpoch(0);

        Assert.Contains("Another pruner already prunes 'first.weight'", fault.Message);
        second.Mask().Dispose();
    }

    [Fact]
    public void TwoPruners_OfDifferentLayers_AreNoError()
    {
        using var model = TestModels.Mlp();
        using var first = new PdpPruner(model, TrainingLoop.Options with { Include = ["first"] });
        using var last = new PdpPruner(model, TrainingLoop.Options with { Include = ["last"] });
        first.BeginEpoch(0);
        last.BeginEpoch(0);

        using (first.Mask())
        using (last.Mask())
            model.call(TestModels.Batch(1).Inputs).sum().backward();

        first.Mask().Dispose();
        last.Mask().Dispose();
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Zeros_ThatMoveAfterCommit_ArePutBackOrReported(string strategy)
    {
        using var loop = new TrainingLoop(strategy, useAdam: true);
        loop.Step(0);
        loop.Step(0);
        var zeros = loop.Pruner.Commit().Layers.Sum(layer => layer.Zeros);

        loop.Optimizer.zero_grad();
        loop.Backward(1);
        loop.Optimizer.step();

        var report = loop.Pruner.Report();
        Assert.Contains(report.Warnings, warning => warning.Contains("call Commit() again", StringComparison.Ordinal));
        Assert.True(report.Layers.Sum(layer => layer.Zeros) < zeros);
        loop.Pruner.Mask().Dispose();
        Assert.Equal(zeros, loop.Pruner.Report().Layers.Sum(layer => layer.Zeros));
        Assert.DoesNotContain(loop.Pruner.Report().Warnings, warning => warning.Contains("call Commit() again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(ScalarType.Float32, MaskForm.Soft, "unstructured")]
    [InlineData(ScalarType.Float32, MaskForm.Folded, "unstructured")]
    [InlineData(ScalarType.Float64, MaskForm.Soft, "unstructured")]
    [InlineData(ScalarType.BFloat16, MaskForm.Raw, "2:4")]
    [InlineData(ScalarType.Float32, MaskForm.Soft, "channel")]
    [InlineData(ScalarType.Float64, MaskForm.Folded, "channel")]
    public void FirstScope_InInferenceMode_LeavesTrainingPossible(ScalarType type, MaskForm form, string strategy)
    {
        using var loop = new TrainingLoop(strategy, type: type);
        using (inference_mode())
        {
            using (loop.Pruner.Mask(form))
                loop.Forward(1);
        }

        using (loop.Pruner.Mask(form))
        using (inference_mode())
            loop.Forward(1);

        for (var step = 0; step < 3; step++)
            loop.Step(0);
        loop.Pruner.Mask(form).Dispose();
        loop.Pruner.Commit();
        loop.Step(0.5);
        loop.Pruner.Commit();
    }

    [Fact]
    public void CommitInInferenceMode_LeavesTrainingPossible()
    {
        using var loop = new TrainingLoop("unstructured");
        using (inference_mode())
        {
            loop.Pruner.Mask().Dispose();
            loop.Pruner.Commit();
        }

        loop.Step(0);
        loop.Step(0);
        loop.Pruner.Commit();
    }
}
