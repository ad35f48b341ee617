using Pdp.Tests.Support;
using TorchSharp;
using static Pdp.Tests.Masking.TwoMakersRun;
using static TorchSharp.torch;

namespace Pdp.Tests.Masking;

public sealed class MaskedChannelsLoopTests
{
    [Theory]
    [InlineData(ScalarType.Float64, 1e-9)]
    [InlineData(ScalarType.Float32, 1e-4)]
    public void Gradients_OfMicroBatches_AddUp_AlsoInANormThatTwoMasksShare(ScalarType type, double tolerance)
    {
        var zoo = Zoo.Get(nameof(DenseBlockNet));
        using var model = zoo.Make(type: type);
        using var first = zoo.Batch(seed: 1, type: type);
        using var second = zoo.Batch(seed: 2, type: type);
        using var pruner = new PdpPruner(model, OptionsFor(ChannelMap.Find(model, first)));
        pruner.BeginEpoch(0);
        double[] Gradients(params Tensor[] batches)
        {
            model.zero_grad();
            foreach (var batch in batches)
            {
                using var scope = NewDisposeScope();
                using (pruner.Mask())
                    model.call(batch).sum().backward();
            }

            return [.. model.parameters().SelectMany(parameter => parameter.grad!.Values())];
        }

        var (one, two) = (Gradients(first), Gradients(second));

        Close.Equal([.. one.Zip(two, (a, b) => a + b)], Gradients(first, second), tolerance, tolerance);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Evaluation_MidwayThroughTraining_FindsTheRunningStatisticsOfTraining(ScalarType type)
    {
        using var model = new TwoMakers(type);
        using var input = Tensors.Of(Tensors.Normal(3, 64 * 3), [64, 3], type);
        using var pruner = Begun(model);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        for (var step = 0; step < 200; step++)
            model.call(input);

        using (pruner.Mask())
        {
            var training = model.call(input).Values();
            model.eval();
            var evaluation = model.call(input).Values();

            // The running variance is the unbiased one: 64/63 of the batch's.
            Close.Equal(training, evaluation, 0.02, 0.02);
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Step_InsideTheScope_IsReported_AndTheChangeUndone(ScalarType type)
    {
        using var model = new TwoMakers(type);
        using var pruner = Begun(model);
        var dense = model.norm.weight.Values();

        using (no_grad())
        using (pruner.Mask())
            model.norm.weight.mul_(2.0);

        Assert.Equal(dense, model.norm.weight.Values());
        Assert.Contains("changed inside the mask scope", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Evaluation_BetweenSteps_InSoftAndHardForms_IsNoMisuse(ScalarType type)
    {
        using var model = new TwoMakers(type);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3], type);
        using var pruner = Begun(model);

        for (var epoch = 0; epoch < 2; epoch++)
        {
            using var scope = NewDisposeScope();
            using (pruner.Mask())
                model.call(input).sum().backward();
            using (no_grad())
                model.a.weight!.mul_(1.5);
            pruner.Mask().Dispose();
            pruner.Mask(MaskForm.Folded).Dispose();
        }

        Assert.False(pruner.IsCommitted);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Mask_OfACompanionThatIsNotFinite_LeavesAllAsItWas(ScalarType type)
    {
        using var model = new TwoMakers(type);
        using var pruner = Begun(model);
        using (no_grad())
            model.b.bias!.mul_(double.PositiveInfinity);
        var dense = model.a.weight.Values();

        Assert.Contains("NaN or infinity", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message);
        Assert.Equal(dense, model.a.weight.Values());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Step_LeavesNoTensors(ScalarType type)
    {
        using var model = new TwoMakers(type);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3], type);
        using var pruner = Begun(model);

        Leaks.None(() =>
        {
            using var scope = NewDisposeScope();
            using (pruner.Mask())
                model.call(input).sum().backward();
        });
    }

    [Fact]
    public void Restore_OfACommittedRun_KnowsTheZerosAgain()
    {
        using var model = new TwoMakers(ScalarType.Float32);
        using var pruner = Begun(model);
        pruner.Commit();
        using var resumed = new PdpPruner(model, OptionsFor(TwoMakers.Map));

        resumed.Restore(PrunerState.FromJson(pruner.GetState().ToJson()));
        using var input = ones(2, 3);
        var report = resumed.Shrink(input);

        Assert.Equal(3, report.Record.Groups.Single().Kept.Count);
    }

    [Fact]
    public void Method_IsAskedForItsMaskOnceAScope()
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3]);
        using var pruner = new PdpPruner(model, OptionsFor(TwoMakers.Map) with { Method = new OneByOne(model), Temperature = null });
        pruner.BeginEpoch(0);
        var dense = model.norm.weight.Values();

        double[] inside;
        using (var scope = NewDisposeScope())
        using (pruner.Mask())
        {
            inside = model.norm.weight.Values();
            model.call(input).sum().backward();
        }

        Assert.Equal(1, pruner.Masks.Single().Removed);
        pruner.BeginEpoch(0.5);
        Assert.Equal([0], inside.Index().Where(pair => pair.Item == 0).Select(pair => pair.Index));
        Assert.Equal(dense, model.norm.weight.Values());
        pruner.Commit();
        Assert.Equal([2], model.norm.weight.Values().Index().Where(pair => pair.Item == 0).Select(pair => pair.Index));
        using (pruner.Mask())
            Assert.Equal([2], model.norm.bias!.Values().Index().Where(pair => pair.Item == 0).Select(pair => pair.Index));
    }

    [Fact]
    public void Method_MayAddToGradientsWhenItIsToldTheMasks()
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3]);
        using var pruner = new PdpPruner(model, OptionsFor(TwoMakers.Map) with { Method = new OneByOne(model), Temperature = null });
        pruner.BeginEpoch(0);
        using var scope = NewDisposeScope();
        model.norm.weight.mul(model.norm.weight).sum().backward();
        var earlier = model.norm.weight.grad!.Values();

        using (pruner.Mask())
            model.call(input).sum().backward();

        // PerChannel 0 is removed; its weight is dense again when the method looks.
        Assert.Equal(earlier[0] + (1000 * model.norm.weight.Values()[0]), model.norm.weight.grad!.Values()[0], 1e-9);
        Assert.NotEqual(0, model.norm.weight.Values()[0]);
    }

    /// <summary>Removes another channel each time it is asked, and adds to the norm's gradient a thousand times its scale.</summary>
    private sealed record OneByOne(TwoMakers Model) : IPruningMethod
    {
        public string Name => "one by one";

        public TwoMakers Model { get; } = Model;

        public PdpOptions Configure(PdpOptions options) => options;

        public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => new Run(Model);

        private sealed class Run(TwoMakers model) : IMethodRun
        {
            private int _calls;

            public IReadOnlyList<NamedParameter> Parameters => [];

            public void Begin(double epoch)
            {
            }

            public Tensor Forward(int layer, Tensor weight) => throw new NotSupportedException();

            public Tensor Backward(int layer, Tensor weight, Tensor upstream) => throw new NotSupportedException();

            public Tensor Kept(int layer, Tensor weight)
            {
                var removed = _calls++;
                return Tensors.Of([.. Enumerable.Range(0, 6).Select(channel => channel == removed ? 0.0 : 1)], [1, 6], ScalarType.Bool);
            }

            public void GateGradient(int layer, Tensor gradient)
            {
                using var thousand = 1000.0.ToScalar();
                model.norm.weight.grad!.add_(model.norm.weight, thousand);
            }

            public void Dispose()
            {
            }
        }
    }
}
