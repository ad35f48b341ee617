using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>What a pruner learns of importance, when, and what it refuses.</summary>
public sealed class ImportanceTests
{
    private static readonly PdpOptions Options = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new OneShot { Epoch = 1 },
        Temperature = Temperature.Relative(0.5),
        Importance = new Taylor(),
    };

    [Fact]
    public void Commit_ByTaylor_RemovesLargeWeightsThatTheLossDoesNotFeel()
    {
        using var model = Sequential(("layer", Linear(4, 1, hasBias: false)));
        var weight = model.parameters().Single();
        Tensors.Fill(weight, [1, 2, 3, 4]);
        using var pruner = new PdpPruner(model, Options with { Temperature = null });
        using var scope = NewDisposeScope();
        // The last two inputs are silent.
        var input = Tensors.Of([1, 1, 0, 0], [1, 4], ScalarType.Float32);
        Step(model, pruner, 0, input);
        Step(model, pruner, 1, input);
        pruner.BeginEpoch(3, 9, 10);

        var report = pruner.Commit(MaskForm.Raw);

        Assert.Equal([1, 2, 0, 0], weight.Values());
        Assert.Equal(2, report.Removed);
    }

    [Fact]
    public void BeginEpoch_ByAnImportanceAndOneOrderOfAll_TakesFromLayersThatTheLossDoesNotFeel()
    {
        using var model = Sequential(("felt", Linear(4, 4, hasBias: false)), ("scale", Linear(4, 4, hasBias: false)));
        Tensors.Fill(model.get_parameter("felt.weight")!, [.. Enumerable.Repeat(0.01, 16)]);
        Tensors.Fill(model.get_parameter("scale.weight")!, [.. Enumerable.Repeat(10.0, 16)]);
        using var pruner = new PdpPruner(
            model, Options with { Importance = new Stepwise(("felt", 100), ("scale", 1e-3)), MaximumLayerSparsity = 0.9 });
        using var scope = NewDisposeScope();
        Step(model, pruner, 0, ones(1, 4));

        pruner.BeginEpoch(1);

        Assert.Equal(["felt.weight", "scale.weight"], pruner.Masks.Select(mask => mask.Name));
        Assert.Equal([2, 14], pruner.Masks.Select(mask => mask.Target));
    }

    [Fact]
    public void Scope_BeforePruningBegins_ChangesNoBitOfWeightsAndGradients()
    {
        using var model = TestModels.Cnn();
        using var twin = TestModels.Cnn();
        using var pruner = new PdpPruner(model, Options);
        using var scope = NewDisposeScope();
        var input = Tensors.Of(Tensors.Normal(1, 4 * 3 * 36), [4, 3, 6, 6], ScalarType.Float32);
        pruner.BeginEpoch(0);

        // Twice, so that gradients add up.
        for (var i = 0; i < 2; i++)
        {
            using (pruner.Mask())
            {
                Assert.Equal(TestModels.Bytes(twin), TestModels.Bytes(model));
                model.call(input).pow(2).sum().backward();
            }

            twin.call(input).pow(2).sum().backward();
        }

        Assert.Equal(twin.parameters().Select(parameter => parameter.grad!.Bits()), model.parameters().Select(
            parameter => parameter.grad!.Bits()));
        Assert.All(pruner.Masks, mask => Assert.Equal(2, mask.Importance!.Gradients));
    }

    [Fact]
    public void Learning_IsFromTheGradientOfEachScopeAlone()
    {
        using var model = Sequential(("layer", Linear(2, 1, hasBias: false)));
        var weight = model.parameters().Single();
        using var pruner = new PdpPruner(model, Options);
        using var scope = NewDisposeScope();
        pruner.BeginEpoch(0);
        Learn([1, -2]);
        Learn([3, 4]);

        using (pruner.Mask())
        using (no_grad())
            model.call(ones(1, 2));
        var afterEvaluation = (pruner.Masks[0].Importance!.Gradients, pruner.Masks[0].Importance!.Sensitivity!.Values());
        Learn([double.PositiveInfinity, 1]);

        Assert.Equal(2, afterEvaluation.Gradients);
        Assert.Equal([2, 3], afterEvaluation.Item2);
        Assert.Equal([2, 3], pruner.Masks[0].Importance!.Sensitivity!.Values());

        void Learn(double[] gradient)
        {
            using var mask = pruner.Mask();
            model.call(Tensors.Of(gradient, [1, 2], ScalarType.Float32)).sum().backward();
        }
    }

    [Fact]
    public void BeginEpoch_WhenPruningBeginsWithoutAGradient_SaysWhatToDo()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { Schedule = new ConstantSparsity() });

        var error = Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(0));

        Assert.Contains(
            "taylor has seen no gradient of 'first.weight', 'second.weight', 'last.weight' yet, or only 0 or infinity",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void BeginEpoch_WhenNoGradientBeforeWasFinite_SaysWhatToDo()
    {
        using var model = Linear(2, 1, hasBias: false);
        using var pruner = new PdpPruner(model, Options with { Sparsity = 0.5, Schedule = new OneShot { Epoch = 1 } });
        pruner.BeginEpoch(0);
        using (pruner.Mask())
            model.call(Tensors.Of([double.PositiveInfinity, 1], [1, 2], ScalarType.Float32)).sum().backward();

        var error = Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(1));

        Assert.Contains("taylor has seen no gradient of 'weight' yet, or only 0 or infinity", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_BeforeAGradient_IsByMagnitudeAndNotFinal()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        using var byMagnitude = new PdpPruner(model, Options with { Importance = null });

        var plan = pruner.Plan();

        Assert.False(plan.IsFinal);
        Assert.Equal(byMagnitude.Plan().Layers, plan.Layers);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pruner_WithAnAbsoluteTemperature_Refuses(bool inARule)
    {
        using var model = TestModels.Mlp();
        var absolute = Temperature.Absolute(1e-4);
        var options = inARule ? Options with { Rules = [new LayerRule("last") { Temperature = absolute }] }
            : Options with { Temperature = absolute };

        var error = Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));

        Assert.Contains(
            "An absolute temperature is in units of weight², but the scores of taylor are not: use Temperature.Relative",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Soft_OfAPrunersMask_SaysThatTheWeightAloneDoesNotTell()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);

        var error = Assert.Throws<InvalidOperationException>(() => pruner.Masks[0].Soft(model.parameters().First()));

        Assert.Contains("goes by taylor", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BeginEpoch_AfterAnUpdateOfAnotherShape_NamesBothShapes()
    {
        using var model = Sequential(("layer", Linear(2, 1, hasBias: false)));
        var before = model.parameters().Single().Values();
        using var pruner = new PdpPruner(model, Options with { Importance = new Misshapen() });
        using var scope = NewDisposeScope();
        Step(model, pruner, 0, ones(1, 2));

        var error = Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(0.5));

        Assert.Contains(
            "misshapen.Update returned a tensor [3] of Float32 for a gradient [1, 2] of Float32: it must have the same shape and type",
            error.Message,
            StringComparison.Ordinal);
        Assert.Equal(before, model.parameters().Single().Values());
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    [InlineData("channel")]
    public void Step_ByTaylor_LeavesNoTensorBehind(string strategy)
    {
        using var model = TestModels.Mlp();
        IMaskStrategy pattern = strategy switch { "2:4" => NofM.Keep(2, of: 4), "channel" => new PerChannel(), _ => new Unstructured() };
        using var pruner = new PdpPruner(model, Options with { Strategy = pattern, Sparsity = pattern.FixedSparsity is null ? 0.5 : null });
        TestModels.Train(model, pruner, 0, seed: 1);

        Leaks.None(() => TestModels.Train(model, pruner, 2, seed: 2));
    }

    private static void Step(Module<Tensor, Tensor> model, PdpPruner pruner, double epoch, Tensor input)
    {
        pruner.BeginEpoch(epoch);
        model.zero_grad();
        using var mask = pruner.Mask();
        model.call(input).sum().backward();
    }

    /// <summary>Sensitivities that the first gradients of layers give in turn.</summary>
    private sealed class Stepwise(params (string Layer, double Sensitivity)[] layers) : IImportance
    {
        private int _next = layers.Length;

        public string Name => "stepwise";

        // Scopes are left from the last weight to the first.
        public Tensor Update(Tensor? sensitivity, Tensor gradient, long gradients) =>
            Tensors.Of(
                [.. Enumerable.Repeat(layers[--_next].Sensitivity, (int)gradient.numel()).Select((value, i) => value * (1 + (i * 1e-3)))],
                gradient.shape,
                gradient.dtype);
    }

    private sealed class Misshapen : IImportance
    {
        public string Name => "misshapen";

        public Tensor Update(Tensor? sensitivity, Tensor gradient, long gradients) => ones(3);
    }
}
