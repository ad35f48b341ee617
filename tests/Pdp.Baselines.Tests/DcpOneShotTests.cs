using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Tests;

public sealed class DcpOneShotTests
{
    /// <summary>Float64 sums in another order, through batch norms, whose gradients are differences of sums.</summary>
    private const double InAnotherOrder = 1e-9;

    [Fact]
    public void Scores_AreTheNormsOfTheReadersGradientSlices_AddedOverTheirFilters()
    {
        using var scene = new ChannelScene(scene => new Gmp());
        var scores = new DcpOneShot(scene.Model, scene.Map, scene.Backward).Scores();

        scene.Backward();

        var (second, third, last) = (Norms(scene.Model.conv2.weight), Norms(scene.Model.conv3.weight), Norms(scene.Model.fc.weight!));
        Close.Equal([.. second.Zip(last, (a, b) => a + b)], scores["conv1.weight"], Close.Float32);
        Close.Equal(third, scores["conv2.weight"], Close.Float32);
    }

    [Fact]
    public void Score_BehindAFlatten_TakesAllPlacesOfAChannelTogether()
    {
        manual_seed(1);
        using var model = Sequential(("conv", Conv2d(2, 5, 3)), ("relu", ReLU()), ("flat", Flatten()), ("fc", Linear(5 * 16, 3)));
        using var example = rand(4, 2, 6, 6);
        void Backward() => model.call(example).pow(2).sum().backward();
        var scores = new DcpOneShot(model, ChannelMap.Find(model, example), Backward).Scores();

        using var scope = NewDisposeScope();
        Backward();

        var gradient = model.parameters().ElementAt(2).grad!.Values().Chunk(16).Select(Norm).ToArray();
        Close.Equal(
            [.. Enumerable.Range(0, 5).Select(channel => gradient[channel] + gradient[5 + channel] + gradient[10 + channel])],
            scores["conv.weight"],
            Close.Float32);
    }

    [Fact]
    public void Score_InFrontOfATransposedConvolution_IsTakenAlongItsInputs()
    {
        manual_seed(1);
        using var model = Sequential(("conv", Conv2d(2, 5, 3)), ("relu", ReLU()), ("up", ConvTranspose2d(5, 3, 2, stride: 2)));
        using var example = rand(2, 2, 6, 6);
        void Backward() => model.call(example).pow(2).sum().backward();
        var scores = new DcpOneShot(model, ChannelMap.Find(model, example), Backward).Scores();

        using var scope = NewDisposeScope();
        Backward();

        // [in, out, 2, 2]
        var expected = model.parameters().ElementAt(2).grad!.Values().Chunk(4).Select(Norm).Chunk(3).Select(filters => filters.Sum());
        Close.Equal([.. expected], scores["conv.weight"], Close.Float32);
    }

    [Fact]
    public void AGroupThatStaysDense_NeedsNoGradient()
    {
        using var scene = new ChannelScene(scene => new Gmp());
        using var pruner = new PdpPruner(scene.Model, new PdpOptions
        {
            Method = new DcpOneShot(scene.Model, scene.Map, scene.Backward),
            Strategy = new PerChannel(),
            Channels = scene.Map,
            Sparsity = 0.5,
            Epochs = 8,
            Exclude = ["conv2.weight"],
        });
        scene.Model.conv3.weight.requires_grad_(false);

        pruner.BeginEpoch(1);

        Assert.DoesNotContain(pruner.Masks, mask => mask.Name == "conv2.weight");
    }

    [Fact]
    public void AGroupThatNothingReads_IsRefusedAtOnce()
    {
        using var model = Sequential(("conv", Conv2d(2, 6, 3)), ("flat", Flatten()));
        using var example = rand(1, 2, 6, 6);
        var filters = new ChannelSlice("conv.weight", 0, 0, 1, ChannelRole.Filter);
        var map = ChannelMap.Find(model, example).With(new ChannelGroup("conv.weight", 6, [filters]));

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, new PdpOptions
        {
            Method = new DcpOneShot(model, map, () => { }),
            Strategy = new PerChannel(),
            Channels = map,
            Sparsity = 0.5,
            Epochs = 8,
        }));

        Assert.Contains("none reads 'conv.weight'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Score_OfAChannelWhoseOutputIsZero_IsZero()
    {
        using var scene = new ChannelScene(scene => new Gmp());
        MakeShiftsPositive(scene.Model.bn2);
        Silence(scene.Model.bn2, 7);

        var scores = new DcpOneShot(scene.Model, scene.Map, scene.Backward).Scores();

        Assert.Equal([7], scores["conv2.weight"].Index().Where(pair => pair.Item == 0).Select(pair => pair.Index));
        Assert.DoesNotContain(0, scores["conv1.weight"]);
    }

    [Fact]
    public void Scores_DontChange_WhenTheReadersFiltersArePermuted()
    {
        using var scene = new ChannelScene(scene => new Gmp(), type: ScalarType.Float64);
        MakeShiftsPositive(scene.Model.bn2);
        var method = new DcpOneShot(scene.Model, scene.Map, scene.Backward);
        var before = method.Scores();

        int[] order = [.. Enumerable.Range(0, 12).Select(i => (5 * i) % 12)];
        Permute(scene.Model.conv2.weight, order, 0);
        Permute(scene.Model.bn2.weight, order, 0);
        Permute(scene.Model.bn2.bias!, order, 0);
        Permute(scene.Model.conv3.weight, order, 1);
        var after = method.Scores();

        Close.Equal(before["conv1.weight"], after["conv1.weight"], InAnotherOrder);
        Close.Equal([.. order.Select(channel => before["conv2.weight"][channel])], after["conv2.weight"], InAnotherOrder);
        Assert.Equal(12, after["conv2.weight"].Distinct().Count());
    }

    [Fact]
    public void Batches_AddUp()
    {
        using var scene = new ChannelScene(scene => new Gmp(), type: ScalarType.Float64);
        scene.Model.eval();

        var once = new DcpOneShot(scene.Model, scene.Map, () => scene.Loss(0).backward()).Scores();
        var twice = new DcpOneShot(scene.Model, scene.Map, () =>
        {
            scene.Loss(0).backward();
            scene.Loss(0).backward();
        }).Scores();

        Close.Equal([.. once["conv2.weight"].Select(score => 2 * score)], twice["conv2.weight"], InAnotherOrder);
    }

    [Fact]
    public void Action_ThatRunsNoBackward_IsRefused()
    {
        using var scene = new ChannelScene(scene => new Gmp());

        var error = Assert.Throws<InvalidOperationException>(() => new DcpOneShot(scene.Model, scene.Map, () => { }).Scores());

        Assert.Contains("no gradient arrived at 'conv2.weight'", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Shifts channels up, so that the rectifier switches none off on all pictures.</summary>
    private static void MakeShiftsPositive(BatchNorm2d norm) =>
        Tensors.Fill(norm.bias!, [.. norm.bias!.Values().Select(shift => 0.1 + Math.Abs(shift))]);

    private static void Silence(BatchNorm2d norm, int channel)
    {
        foreach (var parameter in new[] { norm.weight, norm.bias! })
        {
            var values = parameter.Values();
            values[channel] = 0;
            Tensors.Fill(parameter, values);
        }
    }

    private static void Permute(Tensor parameter, int[] order, int dimension)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        parameter.copy_(parameter.index_select(dimension, tensor(order, dtype: ScalarType.Int64)));
    }

    private static double Norm(double[] values) => Math.Sqrt(values.Sum(value => value * value));

    /// <summary>Σ_j ‖G[j, k]‖ of each input k, of <c>[out, in, …]</c>.</summary>
    private static double[] Norms(Parameter weight)
    {
        var (outputs, inputs) = ((int)weight.shape[0], (int)weight.shape[1]);
        var norms = weight.grad!.Values().Chunk((int)weight.numel() / (outputs * inputs)).Select(Norm).ToArray();
        return [.. Enumerable.Range(0, inputs).Select(
            input => Enumerable.Range(0, outputs).Sum(output => norms[(output * inputs) + input]))];
    }
}
