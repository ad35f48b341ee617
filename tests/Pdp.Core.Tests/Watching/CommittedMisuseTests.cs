using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Watching;

public sealed class CommittedMisuseTests
{
    private static readonly PdpOptions Options = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    };

    [Theory]
    [InlineData("unstructured")]
    [InlineData("channel")]
    public void OptimizerStep_InsideTheScopeAfterCommit_KeepsTheZerosAndIsThrownAtTheNextCall(string strategy)
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with
        {
            Strategy = strategy == "unstructured" ? new Unstructured() : new PerChannel(),
        });
        TestModels.Train(model, pruner, 0, seed: 1);
        var zeros = pruner.Commit().Layers.Sum(layer => layer.Zeros);
        using (pruner.Mask())
        {
            functional.cross_entropy(model.call(TestModels.Batch(1).Inputs), TestModels.Batch(1).Labels).backward();
            TestModels.Step(model, 0.1);
        }

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Report());

        Assert.Contains("call optimizer.step() after the scope", fault.Message);
        Assert.Equal(zeros, pruner.Report().Layers.Sum(layer => layer.Zeros));
        TestModels.Train(model, pruner, 0, seed: 2);
        pruner.Commit();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Commit_AfterStepsWithoutAScopeSinceTheLastOne_SaysThatTheZerosCameBack(bool hasEvaluated)
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var optimizer = optim.AdamW(model.parameters(), 0.01);
        using var pruner = new PdpPruner(model, Options);
        TestModels.Train(model, pruner, 0, seed: 1);
        pruner.Commit();
        for (var step = 0; step < 5; step++)
            StepDense(model, optimizer, step);
        if (hasEvaluated)
        {
            using var _ = no_grad();
            using var mask = pruner.Mask();
        }

        var before = TestModels.Bytes(model);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Commit());

        Assert.Contains("zeros came back: put forward and backward into 'using (pruner.Mask())", fault.Message.Replace(
            " (no gradient arrived in those that were opened)", ""));
        Assert.Equal(before, TestModels.Bytes(model));
        Assert.Empty(pruner.Commit().Warnings);
    }

    [Fact]
    public void BeginEpoch_AfterAnEpochWithoutAScopeSinceCommit_SaysThatTheZerosCameBack()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var optimizer = optim.AdamW(model.parameters(), 0.01);
        using var pruner = new PdpPruner(model, Options);
        TestModels.Train(model, pruner, 0, seed: 1);
        pruner.Commit();
        pruner.BeginEpoch(1);
        TestModels.Train(model, pruner, 1, seed: 2);
        pruner.BeginEpoch(2);
        StepDense(model, optimizer, 3);

        Assert.Contains("Epoch 2 passed", Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(3)).Message);
    }

    [Fact]
    public void Commit_AgainAfterWhatIsNoTraining_IsNoError()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var other = TestModels.Mlp(seed: 5);
        using var optimizer = optim.AdamW(model.parameters(), 0.01);
        using var pruner = new PdpPruner(model, Options);
        TestModels.Train(model, pruner, 0, seed: 1);
        pruner.Commit();
        pruner.BeginEpoch(1);
        pruner.BeginEpoch(2);
        using (no_grad())
            model.load_state_dict(other.state_dict());
        pruner.Commit();
        for (var step = 0; step < 5; step++)
        {
            pruner.BeginEpoch(3);
            optimizer.zero_grad();
            using (pruner.Mask())
                functional.cross_entropy(model.call(TestModels.Batch(step).Inputs), TestModels.Batch(step).Labels).backward();
            optimizer.step();
        }

        Assert.Empty(pruner.Commit().Warnings);
        Assert.Empty(pruner.Commit().Warnings);
    }

    private static void StepDense(Module<Tensor, Tensor> model, optim.Optimizer optimizer, int seed)
    {
        optimizer.zero_grad();
        functional.cross_entropy(model.call(TestModels.Batch(seed).Inputs), TestModels.Batch(seed).Labels).backward();
        optimizer.step();
    }
}
