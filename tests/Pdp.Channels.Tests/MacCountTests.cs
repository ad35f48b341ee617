using Pdp.Samples.Models;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

public sealed class MacCountTests
{
    [Fact]
    public void Of_EachKindOfLayer_IsTheClosedForm()
    {
        // Weights · places: of the output, and of a transposed convolution the input.
        Assert.Equal((4 * 1 * 5) * 24, MacsOf(Conv1d(2, 4, 5, padding: 2, groups: 2), [1, 2, 24]));
        Assert.Equal((7 * 3 * 9) * (4 * 5), MacsOf(Conv2d(3, 7, 3, stride: 2, padding: 1), [1, 3, 8, 10]));
        Assert.Equal((6 * 1 * 9) * (6 * 6), MacsOf(Conv2d(6, 6, 3, groups: 6), [1, 6, 8, 8]));
        Assert.Equal((4 * 2 * 8) * (3 * 4 * 5), MacsOf(Conv3d(2, 4, 2, stride: 2), [1, 2, 6, 8, 10]));
        Assert.Equal((3 * 5 * 4) * 9, MacsOf(ConvTranspose1d(3, 5, 4, stride: 2), [1, 3, 9]));
        Assert.Equal((12 * 9 * 16) * (4 * 4), MacsOf(ConvTranspose2d(12, 9, 4, stride: 2, padding: 1), [1, 12, 4, 4]));
        Assert.Equal((9 * 2 * 9) * (8 * 8), MacsOf(ConvTranspose2d(9, 6, 3, padding: 1, groups: 3), [1, 9, 8, 8]));
        Assert.Equal((2 * 3 * 8) * (4 * 4 * 4), MacsOf(ConvTranspose3d(2, 3, 2), [1, 2, 4, 4, 4]));
        Assert.Equal((11 * 6) * (5 * 7), MacsOf(Linear(6, 11), [1, 5, 7, 6]));
    }

    [Theory]
    [InlineData(nameof(PlainCnn), (8 * 27 * 256) + (12 * 72 * 64) + (192 * 20) + (20 * 5))]
    [InlineData(nameof(GroupedNet), (((12 * 27) + (16 * 12) + (24 * 36) + (12 * 24)) * 256) + (12 * 5))]
    [InlineData(nameof(AutoEncoder), (8 * 27 * 64) + (12 * 72 * 16) + (12 * 9 * 16 * 16) + (9 * 2 * 9 * 64) + (6 * 3 * 16 * 64))]
    [InlineData(nameof(RecurrentNet), (((12 * 27) + (2 * 12 * 108) + (10 * 108)) * 256) + (10 * 5))]
    public void Of_ANetwork_CountsEachCallOfEachLayer(string name, long macs)
    {
        using var model = Zoo.Get(name).Make();
        using var example = Zoo.Get(name).Batch(size: 1);

        Assert.Equal(macs, MacCount.Of(model, example).Total);
    }

    [Theory]
    [InlineData(nameof(ResNet.ResNet18), 1_814_073_344)]
    [InlineData(nameof(ResNet.ResNet50), 4_089_184_256)]
    [InlineData(nameof(MobileNetV1), 568_740_352)]
    [InlineData(nameof(MobileNetV2), 300_774_272)]
    public void Of_AKnownNetworkAt224_IsWhatIsKnown(string name, long macs)
    {
        using var model = Zoo.Get(name).Build();
        using var example = zeros(1, 3, 224, 224);

        var count = MacCount.Of(model, example);

        Assert.Equal(macs, count.Total);
        Assert.All(count.Layers, layer => Assert.Equal($"{layer.Name}.weight", layer.Weight));
    }

    [Fact]
    public void Of_ABatch_IsForOneExample()
    {
        var zoo = Zoo.Get(nameof(PlainCnn));
        using var model = zoo.Make();
        using var one = zoo.Batch(size: 1);
        using var five = zoo.Batch(size: 5);

        Assert.Equal(MacCount.Of(model, one).Total, MacCount.Of(model, five).Total);
        Assert.Equal(5 * MacCount.Of(model, one).Total, MacCount.Of(model, () => model.call(five)).Total);
    }

    [Fact]
    public void Of_ALayerThatDoesNotRun_IsZero()
    {
        using var model = new UncalledNet { IsCalled = true };
        using var example = ones(1, 4);

        var count = MacCount.Of(model, example);

        Assert.Equal([("forwarded", 12), ("frozen", 6), ("unused", 0)], count.Layers.Select(layer => (layer.Name, layer.Macs)));
    }

    [Fact]
    public void Of_AModelThatIsALayer_NamesItsWeight()
    {
        using var model = Linear(3, 2);
        using var example = ones(1, 3);

        var layer = Assert.Single(MacCount.Of(model, example).Layers);

        Assert.Equal(("", "weight", 6), (layer.Name, layer.Weight, layer.Macs));
    }

    [Fact]
    public void Of_TiedWeights_CountsBothLayersUnderTheFirstName()
    {
        var (first, second) = (Linear(3, 3, hasBias: false), Linear(3, 3, hasBias: false));
        second.weight = first.weight;
        using var model = Sequential(("first", first), ("second", second));
        using var example = ones(1, 3);

        var count = MacCount.Of(model, example);

        Assert.Equal([("first", "first.weight", 9), ("second", "first.weight", 9)], count.Layers.Select(
            layer => (layer.Name, layer.Weight, layer.Macs)));
    }

    [Fact]
    public void Of_AModelWithoutLayers_Throws()
    {
        using var model = ReLU();
        using var example = ones(1, 3);

        var fault = Assert.Throws<ArgumentException>(() => MacCount.Of(model, example));

        Assert.Contains("no convolution or linear layer", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_TiedWeightsAtDifferentDepths_NamesThemAsTheMapDoes()
    {
        var (body, deep, head) = (Linear(6, 8), Linear(8, 3), Linear(8, 3));
        head.weight = deep.weight;
        var inner = Sequential(("fc", deep));
        using var model = new Net(
            new { body, inner, head }, x => cat([inner.call(body.call(x).relu()), head.call(body.call(x).relu())], 1));
        using var example = rand(1, 6);

        var (map, count) = (ChannelMap.Find(model, example), MacCount.Of(model, example));

        Assert.Equal("inner.fc.weight", count.Layers.Single(layer => layer.Name == "head").Weight);
        Assert.Equal((48 * 2) + (24 * 2) - (4 * ((6 * 2) + (3 * 2))), count.After([new ChannelCut(Assert.Single(map.Groups), 4)]).Total);
    }

    [Fact]
    public void Of_ATransposedWeight_IsAMatrixOfItsOwn()
    {
        var (encoder, decoder) = (Linear(6, 8, hasBias: false), Linear(8, 6, hasBias: false));
        decoder.weight = new Parameter(encoder.weight.detach().t());
        using var model = Sequential(("encoder", encoder), ("decoder", decoder));
        using var example = ones(1, 6);

        Assert.Equal(
            ["encoder.weight", "decoder.weight"], MacCount.Of(model, example).Layers.Select(layer => layer.Weight));
    }

    [Fact]
    public void Of_ALayerWithoutElements_IsZero()
    {
        var (fc, none) = (Linear(6, 3), Linear(6, 0));
        using var model = new Net(new { fc, none }, fc.call);
        using var example = ones(1, 6);

        Assert.Equal([("fc", 18), ("none", 0)], MacCount.Of(model, example).Layers.Select(layer => (layer.Name, layer.Macs)));
    }

    [Fact]
    public void Of_WeightsThatShareMemoryAlone_CountsThemUnderTheFirstName()
    {
        var (first, second) = (Linear(3, 3, hasBias: false), Linear(3, 3, hasBias: false));
        second.weight = new Parameter(first.weight.detach());
        using var model = Sequential(("first", first), ("second", second));
        using var example = ones(1, 3);

        Assert.Equal(["first.weight", "first.weight"], MacCount.Of(model, example).Layers.Select(layer => layer.Weight));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_LeavesNoTensorBehind(bool hasEmbedding)
    {
        var (tokens, fc) = (Embedding(50, 8), Linear(8, 3));
        using var model = hasEmbedding
            ? new Net(new { tokens, fc }, x => fc.call(tokens.call(x)))
            : Zoo.Get(nameof(PlainCnn)).Make();
        using var example = hasEmbedding ? randint(0, 50, [1, 7]) : Zoo.Get(nameof(PlainCnn)).Batch(size: 2);

        Leaks.None(() => MacCount.Of(model, example));
    }

    [Fact]
    public void ToString_SaysTheTotal() =>
        Assert.Equal("1,234,000 MACs in 2 layers", new MacCount([new()
        {
            Name = "a",
            Weight = "a.weight",
            Shape = [1234, 10],
            Positions = 100,
        }, new() { Name = "b", Weight = "b.weight", Shape = [5, 5], Positions = 0 }]).ToString());

    private static long MacsOf(Module<Tensor, Tensor> layer, long[] shape)
    {
        using var _ = layer;
        using var example = zeros(shape);
        return MacCount.Of(layer, example).Total;
    }
}
