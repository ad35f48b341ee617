using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>Tied channels under one mask, with autograd as the oracle.</summary>
public sealed class MaskedChannelsTests
{
    private const double Ratio = 0.7;

    [Theory]
    [InlineData(ScalarType.Float64, 1e-12, true)]
    [InlineData(ScalarType.Float64, 1e-12, false)]
    [InlineData(ScalarType.Float32, 1e-4, true)]
    [InlineData(ScalarType.Float32, 1e-4, false)]
    public void Gradient_ThroughTheSharedMask_IsAutogradsOfTheMaskedFunction(ScalarType type, double tolerance, bool masksFilters)
    {
        using var model = new TwoMakers(type);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3], type);
        using var pruner = Begun(model, masksFilters);
        using (var scope = NewDisposeScope())
        using (pruner.Mask())
            model.call(input).pow(2).sum().backward();

        using var oracle = NewDisposeScope();
        var expected = Oracle(model, input, masksFilters);

        foreach (var (name, parameter) in model.named_parameters())
            Close.Equal(expected[name].Values(), parameter.grad!.Values(), tolerance, tolerance);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Gradient_InTheFoldedScope_IsAutogradsOfTheMaskWithWhatIsKept(bool masksFilters)
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3], ScalarType.Float64);
        using var pruner = Begun(model, masksFilters);
        using (var scope = NewDisposeScope())
        using (pruner.Mask(MaskForm.Folded))
            model.call(input).pow(2).sum().backward();

        using var oracle = NewDisposeScope();
        var expected = Oracle(model, input, masksFilters, MaskForm.Folded);

        foreach (var (name, parameter) in model.named_parameters())
            Close.Equal(expected[name].Values(), parameter.grad!.Values(), 1e-9, 1e-9);
    }

    [Theory]
    [InlineData(ScalarType.Float64, true)]
    [InlineData(ScalarType.Float64, false)]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.Float32, false)]
    public void Mask_MultipliesFiltersAndCompanions_ByOneValueAChannel(ScalarType type, bool masksFilters)
    {
        var tolerance = type == ScalarType.Float64 ? 1e-12 : 1e-6;
        using var model = new TwoMakers(type);
        using var pruner = Begun(model, masksFilters);
        var dense = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.Values());

        using var scope = NewDisposeScope();
        using (no_grad())
        using (pruner.Mask())
        {
            var mask = Enumerable.Range(0, 6).Select(i => model.norm.weight.Values()[i] / dense["norm.weight"][i]).ToArray();
            Assert.All(mask, value => Assert.InRange(value, 1e-6, 1));
            Close.Equal([.. mask.Select((value, i) => masksFilters ? value * dense["b.bias"][i] : dense["b.bias"][i])], model.b.bias!.Values(), tolerance);
            Close.Equal([.. mask.Select((value, i) => value * dense["norm.weight"][i])], model.norm.weight.Values(), tolerance);
            Close.Equal([.. mask.Select((value, i) => value * dense["norm.bias"][i])], model.norm.bias!.Values(), tolerance);
            Close.Equal([.. dense["a.weight"].Select((weight, i) => masksFilters ? weight * mask[i / 3] : weight)], model.a.weight.Values(), tolerance);
            Assert.Equal(dense["last.weight"], model.last.weight.Values());
        }

        Assert.Equal(dense, model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.Values()));
    }

    [Fact]
    public void Report_CountsTheWeightsOfUndecidedChannels()
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var pruner = Begun(model);
        using var scope = NewDisposeScope();
        var soft = pruner.Masks.Single().Soft(cat([model.a.weight!, model.b.weight!], 1).detach()).Values();

        var undecided = soft.Count(value => value is > 0.05 and < 0.95) / (double)soft.Length;

        Assert.InRange(undecided, 0.1, 0.9);
        Assert.Equal(undecided, pruner.Report().Layers.Single().Undecided, 1e-12);
    }

    [Theory]
    [InlineData(MaskForm.Folded)]
    [InlineData(MaskForm.Raw)]
    public void Commit_MakesWhatTheHardScopeShowed(MaskForm form)
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var pruner = Begun(model);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        double[] shown;
        using (pruner.Mask(form))
            shown = [.. model.parameters().SelectMany(parameter => parameter.Values())];

        var report = pruner.Commit(form);

        Assert.Equal(shown, model.parameters().SelectMany(parameter => parameter.Values()));
        Assert.Equal(3, pruner.Masks.Single().Removed);
        Assert.Equal(3 * 6, report.Removed);
        Assert.Equal(0, report.Layers.Single().Violations);
    }

    [Fact]
    public void Mask_AfterCommit_KeepsTheZeros()
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3]);
        using var pruner = Begun(model);
        pruner.Commit();
        var zeros = model.norm.weight.Values().Select(value => value == 0).ToArray();
        using (no_grad())
            model.norm.bias!.add_(1.0);

        using (var scope = NewDisposeScope())
        using (pruner.Mask())
            model.call(input).sum().backward();

        Assert.Equal(zeros, model.norm.bias.Values().Select(value => value == 0));
        Assert.Equal(3, zeros.Count(isZero => isZero));
    }

    [Fact]
    public void Mask_AfterCommit_LetsNoGradientThrough()
    {
        // Without a rectifier, which stops gradients of silent channels by itself.
        using var first = Linear(3, 6);
        using var model = Sequential(("first", first), ("last", Linear(6, 2)));
        using var input = rand(4, 3);
        using var pruner = new PdpPruner(model, OptionsFor(ChannelMap.Find(model, input)));
        pruner.BeginEpoch(0);
        pruner.Commit();
        var zeros = first.bias!.Values().Select(value => value == 0).ToArray();

        using (var scope = NewDisposeScope())
        using (pruner.Mask())
            model.call(input).sum().backward();

        Assert.Equal(zeros, first.bias!.grad!.Values().Select(value => value == 0));
        Assert.Equal(zeros, Enumerable.Range(0, 6).Select(i => first.weight!.grad!.Values()[3 * i] == 0));
        Assert.Equal(3, zeros.Count(isZero => isZero));
    }

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

    private static PdpOptions OptionsFor(ChannelMap map) => new()
    {
        Epochs = 1,
        Sparsity = 0.5,
        Strategy = new PerChannel(),
        Channels = map,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(Ratio),
        Allocation = new UniformSparsity(),
    };

    private static PdpPruner Begun(TwoMakers model, bool masksFilters = false)
    {
        var group = TwoMakers.Map.Groups.Single();
        Assert.True(group.IsNormalized);
        var pruner = new PdpPruner(model, OptionsFor(TwoMakers.Map.With(group with { IsNormalized = !masksFilters })));
        pruner.BeginEpoch(0);
        return pruner;
    }

    /// <summary>The masked function written down, with t and τ as constants: autograd's gradients by name.</summary>
    private static Dictionary<string, Tensor> Oracle(TwoMakers model, Tensor input, bool masksFilters, MaskForm form = MaskForm.Soft)
    {
        var p = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter.detach().clone().requires_grad_());
        var score = cat([p["a.weight"], p["b.weight"]], 1).pow(2).mean([1]);
        var magnitudes = score.detach().sqrt().Values().Order().ToArray();
        var threshold = (magnitudes[2] + magnitudes[3]) / 2;
        var soft = ((score - (threshold * threshold)) / (Ratio * threshold * threshold)).sigmoid();
        var kept = (form == MaskForm.Soft ? soft.ones_like() : soft.gt(0.5).to_type(soft.dtype)).detach();
        var m = soft * kept;
        var column = (masksFilters ? m : kept).unsqueeze(1);
        var a = functional.linear(input, p["a.weight"] * column, p["a.bias"] * column.flatten());
        var b = functional.linear(input, p["b.weight"] * column, p["b.bias"] * column.flatten());
        var x = functional.batch_norm(a + b, null, null, p["norm.weight"] * m, p["norm.bias"] * m, training: true, eps: 1e-5);
        functional.linear(functional.leaky_relu(x, 0.1), p["last.weight"], p["last.bias"]).pow(2).sum().backward();
        return p.ToDictionary(pair => pair.Key, pair => pair.Value.grad!);
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

    /// <summary>Two linear layers that are added up, a norm, and a reader; leaky, as a rectifier stops gradients of silent channels by itself.</summary>
    private sealed class TwoMakers : Module<Tensor, Tensor>
    {
        public readonly Linear a = Linear(3, 6);
        public readonly Linear b = Linear(3, 6);
        public readonly BatchNorm1d norm = BatchNorm1d(6);
        public readonly Linear last = Linear(6, 2);

        public TwoMakers(ScalarType type)
            : base(nameof(TwoMakers))
        {
            RegisterComponents();
            norm.num_batches_tracked = null;
            using var _ = no_grad();
            foreach (var (parameter, i) in parameters().Select((parameter, i) => (parameter, i)))
                parameter.copy_(Tensors.Of(Tensors.Normal(20 + i, (int)parameter.numel()), parameter.shape));
            this.to(type);
        }

        public static ChannelMap Map
        {
            get
            {
                using var model = new TwoMakers(ScalarType.Float32);
                using var input = ones(2, 3);
                return ChannelMap.Find(model, input);
            }
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return last.call(functional.leaky_relu(norm.call(a.call(input) + b.call(input)), 0.1)).MoveToOuterDisposeScope();
        }
    }
}
