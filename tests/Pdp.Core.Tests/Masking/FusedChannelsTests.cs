using Pdp.Masking;
using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>The kernels of channels, in float32, against the tensor operations in float64.</summary>
public sealed class FusedChannelsTests
{
    public FusedChannelsTests() => manual_seed(1);

    [Theory]
    [InlineData(nameof(Mlp))]
    [InlineData(nameof(PlainCnn))]
    [InlineData(nameof(PaddedResNet))]
    [InlineData(nameof(DenseBlockNet))]
    [InlineData(nameof(GroupedNet))]
    [InlineData(nameof(AutoEncoder))]
    [InlineData(nameof(UNet))]
    public void Scope_OfAMappedNetwork_GivesTheGradientsOfTensorOperations(string name)
    {
        var zoo = Zoo.Get(name);
        using var narrow = zoo.Make(type: ScalarType.Float32);
        using var wide = zoo.Make(type: ScalarType.Float64);
        using var input = zoo.Batch(seed: 1, type: ScalarType.Float32);
        using var wideInput = input.to_type(ScalarType.Float64);
        var map = ChannelMap.Find(narrow, input);

        var expected = Gradients(wide, wideInput, map);
        var actual = Gradients(narrow, input, map);

        // Whole networks of float32 arithmetic lie between the two.
        var largest = expected.Values.Max(gradient => gradient.Max(Math.Abs));
        foreach (var (parameter, gradient) in expected)
            Close.Equal(gradient, actual[parameter], 2e-3, 1e-5 * largest);
    }

    [Fact]
    public void Forget_ReleasesTheCopies()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make(type: ScalarType.Float32);
        using var group = ChannelMaskGroup.Of(
            ZooMaps.Of(nameof(PlainCnn)).Groups[0], model, new PerChannel(), Temperature.Relative(0.5), gradientTemperature: null);
        Leaks.ForgetGarbage();
        var before = Tensor.TotalCount;

        Assert.True(group.Memory!.Claim());
        var claimed = Tensor.TotalCount;
        group.Memory.Release();
        group.Memory.Forget();

        Assert.InRange(claimed, before + 1, long.MaxValue);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Scope_OfALoneWeight_GivesTheGradientOfTensorOperations(bool isTransposed)
    {
        using var scope = NewDisposeScope();
        double[] GradientIn(ScalarType type)
        {
            using Module<Tensor, Tensor> layer = isTransposed ? ConvTranspose2d(6, 10, 3, bias: false) : Conv2d(6, 10, 3, bias: false);
            layer.to(type);
            var weight = layer.parameters().Single();
            using (no_grad())
                weight.copy_(Tensors.Of(Tensors.Normal(3, 540), weight.shape, type));
            using var pruner = new PdpPruner(layer, Options(map: null));
            pruner.BeginEpoch(0);
            using (pruner.Mask())
                weight.mul(Tensors.Of(Tensors.Normal(4, 540), weight.shape, type)).sum().backward();
            return weight.grad!.Values();
        }

        var expected = GradientIn(ScalarType.Float64);

        Close.Equal(expected, GradientIn(ScalarType.Float32), 1e-4, 1e-4);
        Assert.Contains(expected, value => value != 0);
    }

    [Fact]
    public void Scope_WithAGradientOfOtherStrides_IsEndedByTensorOperations()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(96, 100);
        using var pruner = new PdpPruner(layer, Options(map: null));
        var (upstream, before) = (randn(96, 100), layer.weight!.Bits());
        pruner.BeginEpoch(0);
        using (pruner.Mask())
            layer.weight!.mul(upstream.t()).sum().backward();
        var expected = layer.weight!.grad!.Values();

        foreach (var earlier in (double[])[0, 1])
        {
            layer.weight.grad = earlier == 0 ? null : ones(100, 96);
            using (pruner.Mask())
                layer.weight.grad = upstream.clone().t();

            Close.Equal([.. expected.Select(value => value + earlier)], layer.weight.grad!.Values(), 1e-5, 1e-5);
            Assert.Equal(before, layer.weight.Bits());
        }
    }

    [Fact]
    public void Scope_WhoseWeightGotOtherMemoryInside_RestoresItAndFailsAtTheNext()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(96, 100);
        using var pruner = new PdpPruner(layer, Options(map: null));
        var before = layer.weight!.Bits();
        pruner.BeginEpoch(0);

        using (pruner.Mask())
        using (no_grad())
            layer.weight.set_(randn(100, 96));

        Assert.Equal(before, layer.weight.Bits());
        Assert.Contains("changed inside", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message);
    }

    [Fact]
    public void Step_AfterAScopeWithoutGradients_IsReported()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(96, 100);
        using var pruner = new PdpPruner(layer, Options(map: null));
        pruner.BeginEpoch(0);
        pruner.Mask().Dispose();
        layer.forward(ones(1, 96)).sum().backward();
        using (no_grad())
            layer.weight!.mul_(2.0);

        Assert.Contains("no gradient arrived", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message);
    }

    [Fact]
    public void Scope_WithOneThreadOrTwo_GivesTheSameBits()
    {
        var (alone, together) = (BitsWithThreads(1), BitsWithThreads(2));

        Assert.Equal(alone, together);
    }

    [Fact]
    public void Scopes_AfterTheFirst_AllocateNothing()
    {
        using var scope = NewDisposeScope();
        var zoo = Zoo.Get(nameof(PaddedResNet));
        using var model = zoo.Make(type: ScalarType.Float32);
        using var input = zoo.Batch(seed: 1, type: ScalarType.Float32);
        using var pruner = new PdpPruner(model, Options(ChannelMap.Find(model, input)));
        Parameter[] parameters = [.. model.parameters()];
        Tensor[] gradients = [.. parameters.Select(parameter => randn(parameter.shape))];
        void Step(bool dropsLast)
        {
            pruner.BeginEpoch(0);
            using (pruner.Mask())
            {
                for (var i = 0; i < parameters.Length; i++)
                    parameters[i].grad = gradients[i];
            }

            for (var i = 0; i < parameters.Length && dropsLast; i++)
                parameters[i].grad = null;
        }

        for (var step = 0; step < 50; step++)
            Step(dropsLast: step % 2 == 0);

        Assert.Equal(0, Allocations.Of(() =>
        {
            Step(dropsLast: true);
            Step(dropsLast: false);
        }));
    }

    private static byte[] BitsWithThreads(int threads)
    {
        set_num_threads(threads);
        try
        {
            using var scope = NewDisposeScope();
            using var layer = Linear(700, 999, hasBias: false);
            using var pruner = new PdpPruner(layer, Options(map: null));
            var weight = layer.weight!;
            using (no_grad())
                weight.copy_(Tensors.Of(Tensors.Normal(3, 699300), weight.shape, ScalarType.Float32));
            pruner.BeginEpoch(0);
            using (pruner.Mask())
                weight.grad = weight.detach().clone();
            return weight.grad!.Bits();
        }
        finally
        {
            set_num_threads(1);
        }
    }

    private static Dictionary<string, double[]> Gradients(Module<Tensor, Tensor> model, Tensor input, ChannelMap map)
    {
        using var scope = NewDisposeScope();
        using var pruner = new PdpPruner(model, Options(map));
        model.train();
        pruner.BeginEpoch(0);
        using (pruner.Mask())
            model.call(input).sum().backward();
        return model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.Values());
    }

    private static PdpOptions Options(ChannelMap? map) => new()
    {
        Epochs = 1,
        Sparsity = 0.4,
        Strategy = new PerChannel(),
        Channels = map,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    };
}
