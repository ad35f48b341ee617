using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>What can't be counted, and that the model is as before then.</summary>
public sealed class MacCountMisuseTests
{
    [Fact]
    public void Of_AModelThatTrains_LeavesModesGradientsAndHooksAsTheyWere()
    {
        using var model = TestModels.Cnn();
        using var example = ones(2, 3, 8, 8);
        model.train();
        var norm = model.modules().OfType<BatchNorm2d>().Single();
        norm.eval();
        var statistics = norm.running_mean!.Bits();

        MacCount.Of(model, example);

        Assert.True(model.training);
        Assert.False(norm.training);
        Assert.Equal(statistics, norm.running_mean!.Bits());
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
        Assert.All(model.modules(), module => Assert.Equal(0, Hooks.On(module)));
    }

    [Fact]
    public void Of_APassThatFails_LeavesModesAndHooksAsTheyWere()
    {
        using var model = TestModels.Cnn();
        using var example = ones(2, 7, 8, 8);
        model.train();

        var fault = Assert.Throws<ArgumentException>(() => MacCount.Of(model, example));

        Assert.Contains("with 3 channels to Conv2d", fault.Message, StringComparison.Ordinal);
        Assert.All(model.modules(), module => Assert.Equal((true, 0), (module.training, Hooks.On(module))));
    }

    [Fact]
    public void Of_ALayerThatIsRunByForward_NamesItAndLeavesTheModelAsItWas()
    {
        using var model = new UncalledNet();
        using var example = ones(1, 4);
        model.frozen.weight.requires_grad = false;

        var fault = Assert.Throws<ArgumentException>(() => MacCount.Of(model, example));

        Assert.Contains("write forwarded.call(x) instead of forwarded.forward(x)", fault.Message, StringComparison.Ordinal);
        Assert.Equal([true, false, true], model.modules().OfType<Linear>().Select(layer => layer.weight.requires_grad));
        Assert.True(model.training);
    }

    [Fact]
    public void Of_ALayerThatIsRunByForward_IsFoundUnderInferenceMode()
    {
        using var model = new UncalledNet();
        using var inference = inference_mode();
        using var example = ones(1, 4);

        var fault = Assert.Throws<ArgumentException>(() => MacCount.Of(model, example));

        Assert.Contains("write forwarded.call(x) instead of forwarded.forward(x)", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ALayerThatIsNotCalled_AndAnOutputWithoutGradient_SaysThatNothingShows()
    {
        using var model = new UncalledNet();
        using var example = ones(1, 4);

        var fault = Assert.Throws<ArgumentException>(() => MacCount.Of(model, () => model.call(example).argmax(1)));

        Assert.Contains("'forwarded' is not called, and the model's output has no gradient", fault.Message, StringComparison.Ordinal);
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void Of_InputsThatWereMadeUnderInferenceMode_SaysWhatToDo()
    {
        var (tokens, fc) = (Embedding(50, 8), Linear(8, 3));
        using var model = new Net(new { tokens, fc }, x => fc.call(tokens.call(x)));
        using var inference = inference_mode();
        using var example = zeros([1, 7], ScalarType.Int64);

        var fault = Assert.Throws<ArgumentException>(() => MacCount.Of(model, () => model.call(example)));

        Assert.Contains("make or clone() them outside of it", fault.Message, StringComparison.Ordinal);
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
        Assert.Equal(7 * 24, MacCount.Of(model, example).Total);
    }

    [Fact]
    public void Of_AModelThatWasMadeUnderInferenceMode_NamesItsWeightAndChangesNothing()
    {
        using var inference = inference_mode();
        var (tokens, fc) = (Embedding(50, 8), Linear(8, 3));
        using var model = new Net(new { tokens, fc }, x => fc.call(tokens.call(x)));
        using var example = zeros([1, 7], ScalarType.Int64);
        var before = model.parameters().Select(parameter => parameter.requires_grad).ToArray();

        var fault = Assert.Throws<ArgumentException>(() => MacCount.Of(model, example));

        Assert.Contains("'tokens.weight' was created under inference_mode", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, model.parameters().Select(parameter => parameter.requires_grad));
    }
}
