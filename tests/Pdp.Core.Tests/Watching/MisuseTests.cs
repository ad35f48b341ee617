using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Watching;

/// <summary>What would go wrong silently is an error that says what to do.</summary>
public sealed class MisuseTests
{
    private static readonly PdpOptions Options = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    };

    [Fact]
    public void Mask_BeforeBeginEpoch_SaysToCallItFirst()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Mask());

        Assert.Contains("call BeginEpoch(epoch) before Mask()", fault.Message);
    }

    [Fact]
    public void Mask_InsideAScope_SaysThatScopesDontNest()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);

        using var scope = pruner.Mask();

        Assert.Contains("don't nest", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message);
        Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(1));
        Assert.Throws<InvalidOperationException>(() => pruner.Commit());
        Assert.Throws<InvalidOperationException>(() => pruner.GetState());
    }

    [Fact]
    public void OptimizerStep_InsideTheScope_IsUndoneAndThrownAtTheNextCall()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        var before = TestModels.Bytes(model)[0];
        pruner.BeginEpoch(0);
        using (pruner.Mask())
        {
            model.call(TestModels.Batch(1).Inputs).sum().backward();
            TestModels.Step(model, 0.1);
        }

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Mask());

        Assert.Contains("call optimizer.step() after the scope", fault.Message);
        Assert.Equal(before, TestModels.Bytes(model)[0]);
        pruner.Mask().Dispose();
    }

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

        Assert.Contains("zeros came back: put forward and backward into 'using (pruner.Mask())", fault.Message.Replace(" (no gradient arrived in those that were opened)", ""));
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

    [Theory]
    [InlineData("unstructured")]
    [InlineData("channel")]
    [InlineData("tied channels")]
    public void Load_InsideTheScope_IsThrownAtTheNextCall(string strategy)
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var other = TestModels.Mlp(seed: 5);
        using var pruner = new PdpPruner(model, Options with
        {
            Strategy = strategy == "unstructured" ? new Unstructured() : new PerChannel(),
            Channels = strategy == "tied channels" ? ChannelMap.Find(model, TestModels.Batch(1).Inputs) : null,
        });
        pruner.BeginEpoch(0);
        var before = TestModels.Bytes(model)[0];
        using (no_grad())
        using (pruner.Mask())
            model.load_state_dict(other.state_dict());

        Assert.Contains("load or initialize weights outside it", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message);
        Assert.Equal(before, TestModels.Bytes(model)[0]);
        pruner.Commit();
        using (no_grad())
        using (pruner.Mask())
            model.load_state_dict(other.state_dict());

        Assert.Contains("load or initialize weights outside it", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message);
        pruner.Mask().Dispose();
    }

    [Fact]
    public void Backward_BehindTheScope_IsAnErrorAtTheNextScope()
    {
        using var scope = NewDisposeScope();
        using var model = Linear(16, 4);
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        Tensor loss;
        using (pruner.Mask())
            loss = model.call(TestModels.Batch(1).Inputs).sum();
        loss.backward();
        TestModels.Step(model, 0.1);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Mask());

        Assert.Contains("call backward() inside the scope", fault.Message);
    }

    [Fact]
    public void Evaluation_WithGradientsRecordedButNoStep_IsNoError()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);

        using (pruner.Mask())
            model.call(TestModels.Batch(1).Inputs);

        TestModels.Train(model, pruner, 0, seed: 1);
    }

    [Fact]
    public void BeginEpoch_AfterAWholeEpochWithoutAScope_SaysThatNothingWasPruned()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(1));

        Assert.Contains("Epoch 0 passed without a mask scope", fault.Message);
    }

    [Fact]
    public void BeginEpoch_InFractionsWithoutAScope_FailsOnceAWholeEpochWentBy()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        pruner.BeginEpoch(0.5);

        Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(1));
    }

    [Fact]
    public void BeginEpoch_InTheDenseEpochs_NeedsNoScope()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { Schedule = new OneShot { Epoch = 2 } });

        pruner.BeginEpoch(0);
        pruner.BeginEpoch(1);

        Assert.Equal(0, pruner.Sparsity);
    }

    [Fact]
    public void BeginEpoch_BeforeTheLastOne_SaysToRestore()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0.5);

        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => pruner.BeginEpoch(0));

        Assert.Contains("Restore(state)", fault.Message);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    public void BeginEpoch_WithAnImpossibleEpoch_NamesTheRange(double epoch)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);

        Assert.Contains("[0, 2^31)", Assert.Throws<ArgumentOutOfRangeException>(() => pruner.BeginEpoch(epoch)).Message);
    }

    [Fact]
    public void BeginEpoch_FirstCalledPastTheStart_AsksForTheState()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { Schedule = new CubicRamp(1, 3) });

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(2));

        Assert.Contains("call Restore(state) first", fault.Message);
    }

    [Fact]
    public void Mask_AfterTheModelWasCast_SaysToMakeThePrunerAnew()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        model.to(ScalarType.Float64);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Mask());

        Assert.Contains("after model.to(", fault.Message);
    }

    [Fact]
    public void Mask_AfterANativeModuleWasCast_SaysToMakeThePrunerAnew()
    {
        using var model = LSTM(8, 8);
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        model.to(ScalarType.Float64);

        Assert.Contains("after model.to(", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Mask_OfAWeightThatIsNotFinite_NamesItAndLeavesTheModelDense(float poison)
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        using (no_grad())
            model.named_parameters().Single(pair => pair.name == "second.weight").parameter[3, 4] = poison;
        var before = TestModels.Bytes(model);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Mask());

        Assert.Contains("'second.weight' holds NaN or infinity", fault.Message);
        Assert.Equal(before, TestModels.Bytes(model));
        Assert.Contains("'second.weight'", Assert.Throws<InvalidOperationException>(() => pruner.Commit()).Message);
        Assert.Equal(before, TestModels.Bytes(model));
    }

    [Fact]
    public void Commit_BeforeTheScheduleHasEnded_SaysHowFarItIs()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { Schedule = new LinearRamp(0, 4) });
        pruner.BeginEpoch(0);
        TestModels.Train(model, pruner, 1, seed: 0);
        var before = TestModels.Bytes(model);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Commit());

        Assert.Contains("at 25 % of the schedule, which ends at 4", fault.Message);
        Assert.Equal(before, TestModels.Bytes(model));
    }

    [Fact]
    public void Commit_InTheSoftForm_IsRefused()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);

        Assert.Throws<ArgumentOutOfRangeException>(() => pruner.Commit(MaskForm.Soft));
    }

    private static void StepDense(Module<Tensor, Tensor> model, optim.Optimizer optimizer, int seed)
    {
        optimizer.zero_grad();
        functional.cross_entropy(model.call(TestModels.Batch(seed).Inputs), TestModels.Batch(seed).Labels).backward();
        optimizer.step();
    }

    [Fact]
    public void ReportMetric_WithoutAnAutomaticStart_SaysThatNothingWaits()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);

        Assert.Contains("AutomaticStart", Assert.Throws<InvalidOperationException>(() => pruner.ReportMetric(0.5)).Message);
    }
}
