using System.Runtime.InteropServices;
using Pdp.Samples.Tests;
using Pdp.Tests.Support;
using Pdp.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>What a packed model refuses, instead of giving wrong numbers or writing stubs.</summary>
public sealed class PackedUseTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Sequential _model = Nets.Convolutions();
    private readonly Tensor _picture = Nets.Picture();
    private readonly IReadOnlyList<string> _before;
    private readonly SparseModel _packed;

    public PackedUseTests()
    {
        _before = Pruned.Bits(_model);
        _packed = SparseModel.Pack(_model, _picture, Pruned.Everything);
    }

    public void Dispose()
    {
        _packed.Dispose();
        _model.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Call_WhenModelIsTrained_IsRefused()
    {
        _model.train();

        var fault = Assert.Throws<InvalidOperationException>(() => _model.call(_picture));

        Assert.Contains("can't be trained", fault.Message, StringComparison.Ordinal);
        _model.eval();
        Assert.False(_model.call(_picture).requires_grad);
    }

    [Fact]
    public void Call_WhenInputRequiresAGradient_IsRefused()
    {
        var picture = _picture.clone().requires_grad_(true);

        var fault = Assert.Throws<InvalidOperationException>(() => _model.call(picture));

        Assert.Contains("torch.no_grad()", fault.Message, StringComparison.Ordinal);
        using var _ = no_grad();
        Assert.NotNull(_model.call(picture));
    }

    [Fact]
    public void Backward_WhenModelIsPacked_Fails()
    {
        var loss = _model.call(_picture).sum();

        Assert.Throws<ExternalException>(() => loss.backward());
    }

    [Fact]
    public void Save_WhenModelIsPacked_IsRefusedAndWritesNoWeight()
    {
        using var folder = new TemporaryFolder();
        using var other = Nets.Convolutions();
        var (own, safetensors) = (folder.File("model.dat"), folder.File("model.safetensors"));

        Assert.ThrowsAny<Exception>(() => _model.save(own));
        var fault = Assert.Throws<ArgumentException>(() => Safetensors.Save(safetensors, _model.state_dict()));

        Assert.Throws<EndOfStreamException>(() => other.load(own));
        Assert.Contains("'0.weight', which is sparse", fault.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(safetensors));
        Assert.Equal(_before, Pruned.Bits(other));
    }

    [Fact]
    public void LoadStateDict_OfAPackedModel_IsRefusedAndTheOthersWeightsStand()
    {
        using var other = Nets.Blank();
        var before = Pruned.Bits(other);

        var fault = Assert.Throws<ExternalException>(() => other.load_state_dict(_model.state_dict()));

        Assert.Contains("between dense and sparse", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Pruned.Bits(other));
    }

    [Fact]
    public void Load_WhenModelIsPacked_IsRefusedAndTheWeightsStand()
    {
        using var other = Nets.Blank();
        using var file = new MemoryStream();
        other.save(file);
        var expected = _model.call(_picture).Bits();

        var fault = Assert.Throws<ExternalException>(() => _model.load_state_dict(other.state_dict()));
        Assert.ThrowsAny<Exception>(() => _model.load(new MemoryStream(file.ToArray())));

        Assert.Contains("between dense and sparse", fault.Message, StringComparison.Ordinal);
        Assert.Equal(expected, _model.call(_picture).Bits());
        _packed.Unpack();
        Assert.Equal(_before, Pruned.Bits(_model));
    }

    [Fact]
    public void Forward_WhenLayerIsPacked_GivesNoNumbers()
    {
        Assert.Throws<ExternalException>(() => ((Conv2d)_model[0]).forward(_picture).cpu());
        Assert.Throws<ExternalException>(() => ((Linear)_model[8]).forward(ones(2, 16)).cpu());
    }

    [Fact]
    public void Call_WhenModelWasConverted_IsRefusedAndUnpackingConverts()
    {
        var before = Nets.Convolutions();
        _model.to(ScalarType.Float64);

        var fault = Assert.Throws<InvalidOperationException>(() => _model.call(_picture.to_type(ScalarType.Float64)));
        Assert.ThrowsAny<Exception>(() => _model.save(new MemoryStream()));
        _packed.Unpack();

        Assert.Contains("replaced or converted", fault.Message, StringComparison.Ordinal);
        before.to(ScalarType.Float64);
        Assert.Equal(Pruned.Bits(before), Pruned.Bits(_model));
        Assert.All(_model.parameters(), parameter => Assert.True(parameter.requires_grad));
        before.Dispose();
    }

    [Theory]
    [InlineData("bias")]
    [InlineData("norm")]
    [InlineData("mean")]
    public void Call_WhenWhatWasCopiedChanges_IsRefused(string what)
    {
        using var _ = no_grad();
        var norm = (BatchNorm2d)_model[1];
        (what switch { "bias" => ((Conv2d)_model[0]).bias!, "norm" => norm.weight, _ => norm.running_mean! }).add_(1);

        var fault = Assert.Throws<InvalidOperationException>(() => _model.call(_picture));

        Assert.Contains("was changed", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("listed", false)]
    [InlineData("listed", true)]
    [InlineData("field", false)]
    [InlineData("field", true)]
    [InlineData("held", false)]
    [InlineData("held", true)]
    public void Call_WhenAWeightChangesInPlace_IsRefused(string which, bool isInference)
    {
        using var model = Nets.Convolutions();
        var (held, before) = (((Conv2d)model[0]).weight, Pruned.Bits(model));
        using var packed = SparseModel.Pack(model, _picture, Pruned.Everything);
        using (inference_mode(isInference))
        using (no_grad())
            (which switch { "listed" => model.get_parameter("0.weight")!, "field" => ((Conv2d)model[0]).weight, _ => held }).zero_();

        var fault = Assert.Throws<InvalidOperationException>(() => model.call(_picture));

        Assert.Contains("'0' was changed in place", fault.Message, StringComparison.Ordinal);
        packed.Unpack();
        Assert.Equal(before, Pruned.Bits(model));
    }

    [Fact]
    public void Call_WhenModelWasMadeInInferenceMode_Works()
    {
        using var inference = inference_mode();
        using var model = Nets.Convolutions();
        var expected = model.call(_picture);

        using var packed = SparseModel.Pack(model, _picture, Pruned.Everything);

        Assert.True(Pruned.IsClose(model.call(_picture), expected));
    }

    [Fact]
    public void Call_WhenLayerGetsAHook_IsRefused()
    {
        var hook = ((Conv2d)_model[0]).register_forward_hook((_, _, output) => output);

        var fault = Assert.Throws<InvalidOperationException>(() => _model.call(_picture));

        Assert.Contains("got a hook", fault.Message, StringComparison.Ordinal);
        hook.remove();
        Assert.NotNull(_model.call(_picture));
    }

    [Fact]
    public void Parameters_WhenModelIsPacked_HaveTheirNamesAndShapes()
    {
        var expected = Nets.Convolutions();

        Assert.Equal(
            expected.named_parameters().Select(pair => (pair.name, string.Join(",", pair.parameter.shape))),
            _model.named_parameters().Select(pair => (pair.name, string.Join(",", pair.parameter.shape))));
        Assert.Equal(expected.parameters().Sum(parameter => parameter.numel()), _model.parameters().Sum(parameter => parameter.numel()));
        expected.Dispose();
    }

    [Fact]
    public void Unpack_WhenAnOptimizerHoldsTheParameters_TrainsThemOn()
    {
        using var model = Pruned.Prune(Linear(8, 4), 0.5);
        using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0.1, Momentum = 0.9 });
        Step(model, optimizer);
        model.eval();
        var (weight, gradient) = (model.weight, model.weight.grad!.data<float>().ToArray());

        using (SparseModel.Pack(model, ones(2, 8), Pruned.Everything))
            optimizer.step();
        var restored = (model.weight.grad!.data<float>().ToArray(), model.weight);
        Step(model, optimizer);

        Assert.Equal(gradient, restored.Item1);
        Assert.Same(weight, restored.weight);
        Assert.NotEqual(gradient, model.weight.grad!.data<float>().ToArray());
    }

    private static void Step(Linear model, optim.Optimizer optimizer)
    {
        model.train();
        optimizer.zero_grad();
        var output = model.call(ones(2, 8));
        output.mul(output).sum().backward();
        optimizer.step();
    }
}
