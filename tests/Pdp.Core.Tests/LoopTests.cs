using Pdp.Masks;
using Pdp.Scheduling;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>Slips in a training loop: each is right, or an error that says what to do; what only looks like one is no error.</summary>
public sealed class LoopTests
{
    private static readonly PdpOptions Options = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    };

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
        using var loop = new Loop(strategy, learningRate: 0);
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
    [InlineData(ScalarType.Float64, true)]
    [InlineData(ScalarType.Float64, false)]
    public void GradientsDroppedOrZeroedInsideTheScopeOfAFloat64Model_AreAnErrorWithinTwentySteps(ScalarType type, bool isDropped)
    {
        using var loop = new Loop("unstructured", learningRate: 0, type: type);
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
        using var loop = new Loop(strategy);
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
        using var loop = new Loop(strategy);
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
        using var loop = new Loop(strategy);
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
            using var pruner = new PdpPruner(model, Options);
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

    [Fact]
    public void NetworksThatTrainInTurn_WithGradientsLeftFromTheOther_AreNoError()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        using var first = optim.SGD([parameters["first.weight"]], 0.01);
        using var others = optim.SGD([parameters["second.weight"], parameters["last.weight"]], 0.01);
        using var pruner = new PdpPruner(model, Options);
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
    [MemberData(nameof(Strategies))]
    public void ClippingInsideTheScope_IsAnErrorAtTheNextCall(string strategy)
    {
        using var loop = new Loop(strategy);
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
        using var loop = new Loop("unstructured");
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
        using var loop = new Loop("unstructured");
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
        using var pruner = new PdpPruner(model, Options);
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
        using var loop = new Loop("unstructured", type: type);
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

    [Fact]
    public void GradientsInBFloat16_OverMicroBatches_AreNoError()
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(("a", Linear(64, 64)), ("relu", ReLU()), ("b", Linear(64, 10))).to(ScalarType.BFloat16);
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        for (var step = 0; step < 4; step++)
        {
            model.zero_grad();
            for (var micro = 0; micro < 2; micro++)
            {
                using (pruner.Mask())
                    model.call(randn(32, 64).to(ScalarType.BFloat16)).to(ScalarType.Float32).pow(2).mean().backward();
            }
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
        using var loop = new Loop("unstructured");
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
        using var pruner = new PdpPruner(table, Options with { Include = ["*"] });
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
        using var pruner = new PdpPruner(model, Options);
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NetworksThatRestForAnEpoch_WithMomentum_AreNoError(bool isFrozen)
    {
        using var scope = NewDisposeScope();
        using var model = new Branches();
        using var optimizer = optim.SGD(model.parameters(), 0.01, momentum: 0.9);
        using var pruner = new PdpPruner(model, Options with { Exclude = ["second"] });
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

    [Fact]
    public void WeightsClampedBetweenMicroBatches_AreNoError()
    {
        using var loop = new Loop("unstructured");
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

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void WeightsAveragedForEvaluationAndCommit_AreNoError(ScalarType type)
    {
        using var loop = new Loop("unstructured", type: type);
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
        using var loop = new Loop("unstructured");
        for (var step = 0; step < 3; step++)
        {
            loop.Optimizer.zero_grad();
            loop.Backward(step);
            loop.Optimizer.step();
        }

        Assert.Contains("went by without a mask scope for training", Assert.Throws<InvalidOperationException>(() => loop.Pruner.Commit()).Message);
    }

    [Fact]
    public void Epoch_TrainedWithoutAScopeAndEvaluatedUnderOne_IsAnError()
    {
        using var loop = new Loop("unstructured");

        loop.Optimizer.zero_grad();
        loop.Backward(1);
        loop.Optimizer.step();
        loop.Evaluate();
        var fault = Assert.Throws<InvalidOperationException>(() => loop.Pruner.BeginEpoch(1));

        Assert.Contains("Epoch 0 went by without a mask scope for training", fault.Message);
    }

    [Fact]
    public void Epoch_InWhichThePrunedLayersRest_IsNoError()
    {
        using var loop = new Loop("unstructured");
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
        using var pruner = new PdpPruner(model, Options with { Exclude = ["second"] });
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
        using var loop = new Loop("unstructured");
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
        using var pruner = new PdpPruner(model, Options);
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
        using var loop = new Loop(strategy);
        using var second = new PdpPruner(loop.Model, Options);

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
        using var first = new PdpPruner(model, Options with { Include = ["first"] });
        using var last = new PdpPruner(model, Options with { Include = ["last"] });
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
        using var loop = new Loop(strategy, useAdam: true);
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
        using var loop = new Loop(strategy, type: type);
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
        using var loop = new Loop("unstructured");
        using (inference_mode())
        {
            loop.Pruner.Mask().Dispose();
            loop.Pruner.Commit();
        }

        loop.Step(0);
        loop.Step(0);
        loop.Pruner.Commit();
    }

    /// <summary>Two linear layers for inputs of two kinds.</summary>
    private sealed class Branches : Module
    {
        private readonly TorchSharp.Modules.Linear _first = Linear(16, 8);
        private readonly TorchSharp.Modules.Linear _second = Linear(16, 8);

        public Branches()
            : base("branches")
        {
            register_module("first", _first);
            register_module("second", _second);
        }

        public TorchSharp.Modules.Linear Branch(bool isSecond) => isSecond ? _second : _first;
    }

    /// <summary>A model, an optimizer and a pruner that masks at once.</summary>
    private sealed class Loop : IDisposable
    {
        private readonly DisposeScope _scope = NewDisposeScope();
        private readonly ScalarType _type;

        public Loop(string strategy, double learningRate = 0.01, bool useAdam = false, ScalarType type = ScalarType.Float32)
        {
            _type = type;
            Model = TestModels.Mlp().to(type);
            Optimizer = useAdam ? optim.AdamW(Model.parameters(), 0.01) : optim.SGD(Model.parameters(), learningRate);
            var pattern = strategy switch { "channel" => (IMaskStrategy)new Channel(), "2:4" => NofM.Keep(2, of: 4), _ => new Unstructured() };
            Pruner = new PdpPruner(Model, Options with { Strategy = pattern, Sparsity = pattern.FixedSparsity is null ? 0.5 : null });
            Pruner.BeginEpoch(0);
        }

        public Module<Tensor, Tensor> Model { get; }

        public optim.Optimizer Optimizer { get; }

        public PdpPruner Pruner { get; }

        public TorchSharp.Modules.Parameter Weight => Model.named_parameters().First().parameter;

        public Tensor Forward(int seed) => Model.call(TestModels.Batch(seed).Inputs.to(_type));

        public void Backward(int seed, double factor = 1) => Forward(seed).mul(factor).sum().backward();

        public void Evaluate()
        {
            using var mask = Pruner.Mask();
            using var _ = no_grad();
            Forward(3);
        }

        public void Step(double epoch)
        {
            Pruner.BeginEpoch(epoch);
            Optimizer.zero_grad();
            using (Pruner.Mask())
                Backward(1);
            Optimizer.step();
        }

        public void Dispose()
        {
            Pruner.Dispose();
            Optimizer.Dispose();
            Model.Dispose();
            _scope.Dispose();
        }
    }
}
