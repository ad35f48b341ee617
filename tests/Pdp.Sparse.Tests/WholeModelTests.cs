using Pdp.Sparse.Trials;
using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests;

/// <summary>What is taken where layers gain alone and the whole model does not, by times that are made up.</summary>
public sealed class WholeModelTests : IDisposable
{
    private static readonly SparseOptions OfLayers = new() { ChannelsLast = false };

    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(9.6, true)]
    [InlineData(9.8, false)]
    [InlineData(12, false)]
    public void Pack_WhenTheModelAsAWholeGainsLittle_PacksNothing(double packedTime, bool isPacked)
    {
        using var model = Nets.Convolutions();
        var weights = model.parameters().ToArray();

        using var packed = Pack(model, Times(layer: [10, 1], whole: [10, 10, 10, packedTime]), OfLayers);

        var form = isPacked ? LayerForm.Packed : LayerForm.Dense;
        Assert.All(packed.Report.Layers, layer => Assert.Equal(form, layer.Form));
        Assert.Equal(isPacked, !ReferenceEquals(weights[0], model.parameters().First()));
        Assert.Equal((10, isPacked ? packedTime : 10), (packed.Report.DenseMilliseconds, packed.Report.PackedMilliseconds));
    }

    [Fact]
    public void Pack_WhenTheModelAsAWholeLoses_SaysSo()
    {
        using var model = Nets.Convolutions();

        using var packed = Pack(model, Times(layer: [10, 1], whole: [10, 9.9, 10, 12]), OfLayers);

        Assert.Equal(
            "The whole model takes 12.000 ms with the packed layers, and 10.000 ms without: none is packed.",
            Assert.Single(packed.Report.Notes));
        Assert.All(packed.Report.Layers, layer => Assert.Equal("the model as a whole does not gain", layer.Reason));
        Assert.Empty(packed.Plan.Layers);
    }

    [Fact]
    public void Pack_WhenFoldingAloneGains_FoldsAndPacksNothing()
    {
        using var _ = no_grad();
        using var model = Nets.Convolutions();
        var expected = model.call(Nets.Picture());

        using var packed = Pack(model, Times(layer: [10, 1], whole: [10, 8, 9, 8.5]), OfLayers);

        Assert.Equal([LayerForm.Folded, LayerForm.Folded, LayerForm.Dense], packed.Report.Layers.Select(layer => layer.Form));
        Assert.Equal((8, 8), (packed.Report.FoldedMilliseconds, packed.Report.PackedMilliseconds));
        Assert.True(Pruned.IsClose(model.call(Nets.Picture()), expected));
    }

    [Theory]
    [InlineData(9.6, LayerForm.ChannelsLast)]
    [InlineData(9.8, LayerForm.Folded)]
    public void Pack_WhenDenseLayersGainByChannelsLast_PutsThemLast(double timeWithChannelsLast, LayerForm form)
    {
        using var _ = no_grad();
        using var model = Nets.Convolutions();
        var expected = model.call(Nets.Picture());
        var times = new Queue<double[]>([[1, 2], [1, 2], [10, 1], [10, timeWithChannelsLast]]);

        using var packed = Pack(model, Times(times.Dequeue, whole: [10, 9, 9, 5]), new());

        Assert.Equal([form, form, LayerForm.Packed], packed.Report.Layers.Select(layer => layer.Form));
        Assert.Empty(times);
        Assert.True(Pruned.IsClose(model.call(Nets.Picture()), expected));
    }

    [Fact]
    public void Pack_WhenChannelsLastAloneGain_PutsThemLastAndPacksNothing()
    {
        using var _ = no_grad();
        using var model = Nets.Convolutions();
        var expected = model.call(Nets.Picture());

        using var packed = Pack(model, Times(layer: [10, 1], whole: [10, 9, 8, 8.5]), new());

        Assert.Equal(
            [LayerForm.ChannelsLast, LayerForm.ChannelsLast, LayerForm.Dense], packed.Report.Layers.Select(layer => layer.Form));
        Assert.Equal((8, 8), (packed.Report.FoldedMilliseconds, packed.Report.PackedMilliseconds));
        Assert.True(Pruned.IsClose(model.call(Nets.Picture()), expected));
    }

    [Fact]
    public void Pack_WhenALayerLosesAlone_LeavesItDense()
    {
        using var model = Nets.Convolutions();
        var timed = 0;

        using var packed = Pack(model, Times(() => timed++ == 0 ? [1, 2] : [10, 1], [10, 10, 10, 5]), OfLayers);

        Assert.Equal([LayerForm.Folded, LayerForm.Packed, LayerForm.Packed], packed.Report.Layers.Select(layer => layer.Form));
        Assert.Equal(
            ["2.0× slower packed", "10.0× faster packed", "10.0× faster packed"], packed.Report.Layers.Select(layer => layer.Reason));
    }

    [Fact]
    public void Pack_WhenLayersAreIncluded_PacksThemWhateverTheModelTakes()
    {
        using var model = Nets.Convolutions();

        using var packed = Pack(model, Times(layer: [1, 10], whole: [10, 10, 10, 20]), Pruned.Everything);

        Assert.All(packed.Report.Layers, layer => Assert.Equal((LayerForm.Packed, "included"), (layer.Form, layer.Reason)));
        Assert.Equal(20, packed.Report.PackedMilliseconds);
    }

    [Theory]
    [InlineData(9.6, true)]
    [InlineData(9.8, false)]
    public void Pack_WhenOneLayerIsIncluded_PacksTheOthersIfTheModelGains(double packedTime, bool isPacked)
    {
        using var _ = no_grad();
        using var model = Nets.Convolutions();
        var expected = model.call(Nets.Picture());
        var times = new Queue<double[]>([[10, 1], [10, 1], [10, 1], [10, packedTime]]);
        var options = OfLayers with { Include = ["8.weight"] };

        using var packed = Pack(model, Times(times.Dequeue, whole: [10, 10, 10, 20]), options);

        var other = isPacked ? LayerForm.Packed : LayerForm.Folded;
        Assert.Equal([other, other, LayerForm.Packed], packed.Report.Layers.Select(layer => layer.Form));
        Assert.Equal(isPacked ? [] : (string[])
            ["The whole model takes 9.800 ms with the packed layers, and 10.000 ms without: only what is included is packed."],
            packed.Report.Notes);
        Assert.Empty(times);
        Assert.True(Pruned.IsClose(model.call(Nets.Picture()), expected));
    }

    private static SparseModel Pack(nn.Module<Tensor, Tensor> model, Medians clock, SparseOptions options) =>
        new Packer(model, options, clock).ByTrial(() => model.call(Nets.Picture()));

    private static Medians Times(double[] layer, double[] whole) => Times(() => layer, whole);

    /// <summary>
    /// Runs each way once. Two ways are those of a layer, dense and packed, or behind all layers those of the model with its dense layers
    /// as they are and with channels last; four ways are those of the model.
    /// </summary>
    private static Medians Times(Func<double[]> layer, double[] whole) => (_, ways) =>
    {
        Array.ForEach(ways, way => way());
        return ways.Length == whole.Length ? whole : layer();
    };
}
