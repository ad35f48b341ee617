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

    [Fact]
    public void GradientsMadeInInferenceMode_AreNoMisuse()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        for (var step = 0; step < 3; step++)
        {
            pruner.BeginEpoch(0, step, 3);
            foreach (var parameter in model.parameters())
                parameter.grad = null;
            using (pruner.Mask())
                model.call(TestModels.Batch(1).Inputs).sum().backward();
            using (inference_mode())
            {
                foreach (var parameter in model.parameters())
                    parameter.grad = parameter.grad!.mul(ones(1));
            }

            using (no_grad())
            {
                foreach (var parameter in model.parameters())
                    parameter.sub_(parameter.grad!);
            }
        }

        pruner.Mask().Dispose();
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
    public void GradientsNeverZeroed_OfALayerWithAnInputThatIsAlways0_AreAnError()
    {
        using var scope = NewDisposeScope();
        // Every 64th weight, of which the memory has 32, belongs to the first input.
        using var model = Linear(64, 32);
        using var pruner = new PdpPruner(model, Options);
        var inputs = ones(8, 64);
        inputs.narrow(1, 0, 1).zero_();

        var fault = Assert.Throws<InvalidOperationException>(() =>
        {
            for (var step = 0; step < 200; step++)
            {
                pruner.BeginEpoch(0);
                using (pruner.Mask())
                    model.call(inputs).sum().backward();
                using var noGrad = no_grad();
                model.weight.sub_(model.weight.grad!.mul(1e-4));
            }
        });

        Assert.Contains("zero_grad", fault.Message);
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
    public void Commit_InTheSoftForm_IsRefused()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);

        Assert.Throws<ArgumentOutOfRangeException>(() => pruner.Commit(MaskForm.Soft));
    }
}
