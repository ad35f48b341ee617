using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Conformance;

/// <summary>The cases of PQuantML's own tests of PDP (float32, τ = 1e-5, sparsity 0.75).</summary>
public sealed class PdpCaseTests
{
    private static readonly PdpOptions Options = OneStep.Options(0.75) with { Temperature = Temperature.Absolute(1e-5) };

    [Fact]
    public void P1_LinearOfALinspace_KeepsFourRowsBitForBit()
    {
        using var layer = OneStep.LinearOf(OneStep.Linspace(-1, 1, 128), 16);
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(layer, Options);
        var dense = layer.weight!.Values();

        var masked = OneStep.Masked(pruner, layer.weight!);

        Assert.Equal(dense.Select((weight, i) => i / 8 is 0 or 1 or 14 or 15 ? weight : 0), masked);
        Assert.Equal(32, OneStep.NonZeros(masked));
        Close.Equal(96 / 127.0, pruner.Masks[0].Threshold(layer.weight!).Values()[0], 1e-7);
    }

    [Fact]
    public void P2_ConvolutionOfALinspace_KeepsTwoFilters()
    {
        using var layer = OneStep.Conv2dOf(OneStep.Linspace(-1, 1, 1152), 8, 3);
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(layer, Options);
        var dense = layer.weight!.Values();

        var masked = OneStep.Masked(pruner, layer.weight!);

        Assert.Equal(dense.Select((weight, i) => i / 144 is 0 or 7 ? weight : 0), masked);
        Assert.Equal(288, OneStep.NonZeros(masked));
        Close.Equal(864 / 1151.0, pruner.Masks[0].Threshold(layer.weight!).Values()[0], 1e-7);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(72)]
    public void P3AndP4_ChannelsOfALinspace_KeepTheFourOutermost(int inputs)
    {
        var rows = OneStep.Linspace(-1, 1, 16).SelectMany(value => Enumerable.Repeat(value, inputs));
        using var layer = OneStep.LinearOf([.. rows], 16);
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(layer, Options with { Strategy = new PerChannel() });
        var dense = layer.weight!.Values();

        var masked = OneStep.Masked(pruner, layer.weight!);

        Assert.Equal(dense.Select((weight, i) => i / inputs is 0 or 1 or 14 or 15 ? weight : 0), masked);
        Assert.Equal(4 * inputs, OneStep.NonZeros(masked));
    }

    public static TheoryData<string, long[]> Shapes => new()
    {
        { "unstructured", new long[] { 16, 8 } }, { "unstructured", new long[] { 16, 8, 3, 3 } },
        { "channel", new long[] { 16, 8 } }, { "channel", new long[] { 16, 8, 3, 3 } },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void P5_NormalWeights_ReachTheSparsityAndTheGradientOfASecondImplementation(string kind, long[] shape)
    {
        using var scope = NewDisposeScope();
        IMaskStrategy strategy = kind == "channel" ? new PerChannel() : new Unstructured();
        var count = Tensors.Count(shape);
        var mask = Making.Mask(strategy, shape, strategy.GroupingOf(new(shape)).Members * 3 / 4, Temperature.Absolute(0.5));
        var weight = Tensors.Of(Tensors.Normal(21, count), shape, ScalarType.Float32).requires_grad_();
        var upstream = Tensors.Of(Tensors.Normal(22, count), shape, ScalarType.Float32);

        mask.Apply(weight).backward([upstream]);

        Assert.Equal(0.25 * count, OneStep.NonZeros(mask.Kept(weight).Values()));
        Assert.Contains(mask.Soft(weight).Values(), value => value is > 0.2 and < 0.8);
        Close.Equal(
            Oracle.Gradient(weight, upstream, mask.Threshold(weight), 0.5, strategy, mask.Layout), weight.grad!.Values(), 1e-4, 1e-5);
    }

    [Theory]
    [InlineData(0, .012)]
    [InlineData(1, .024)]
    [InlineData(2, .036)]
    [InlineData(32, .396)]
    [InlineData(65, .792)]
    [InlineData(66, .8)]
    [InlineData(99, .8)]
    public void P6_EpsilonRamp_AtTheEndOfEachEpoch(int epoch, double sparsity)
    {
        var ramp = new EpsilonRamp { WarmupEpochs = 0, Epsilon = 0.015 };

        // PQuantML counts an epoch when it is over.
        Close.Equal(sparsity, 0.8 * ramp.Fraction(epoch + 1), Close.Float64);
    }

    [Fact]
    public void P10_GlobalBudgetOverTwoLayers_KeepsExactly384()
    {
        double[] halves = [.. Enumerable.Repeat(.001, 256), .. Enumerable.Repeat(1.0, 256)];
        using var model = Sequential(
            ("layer1", OneStep.LinearOf(halves, 16)), ("layer2", OneStep.LinearOf(OneStep.Linspace(.01, .99, 1024), 64)));
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(model, Options);

        var plan = pruner.Plan();
        pruner.Commit();

        Assert.Equal([256, 896], plan.Layers.Select(layer => layer.Removed));
        Assert.Equal(384, model.parameters().Sum(parameter => OneStep.NonZeros(parameter.Values())));
    }

    [Fact]
    public void P11_AnExcludedSubmodule_IsNeitherPrunedNorInTheBudget()
    {
        using var model = Sequential(
            ("submodule", OneStep.LinearOf(Tensors.Normal(23, 400), 20)),
            ("submodule2", OneStep.LinearOf(Tensors.Normal(24, 400, scale: 1e-3), 20)));
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(model, Options with { Exclude = ["submodule2"] });

        var plan = pruner.Plan();
        pruner.Commit();

        Assert.Equal((400, 300, 0.75), (plan.PrunableWeights, plan.Removed, plan.Sparsity));
        Assert.Equal("excluded by 'submodule2'", plan.Layers[1].DenseReason);
        Assert.Equal([100, 400], model.parameters().Select(parameter => OneStep.NonZeros(parameter.Values())));
    }
}
