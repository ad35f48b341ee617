using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Strategies;

/// <summary>A score that all weights of a filter share.</summary>
public sealed class PerChannelTests
{
    [Theory]
    [InlineData(ScoreNorm.Rms)]
    [InlineData(ScoreNorm.L2)]
    public void Apply_WithFiltersOfOneWeight_IsUnstructured(ScoreNorm score)
    {
        using var scope = NewDisposeScope();
        var weight = Tensors.Of(Tensors.Normal(10, 12), [12, 1]).requires_grad_();
        var twin = weight.detach().clone().requires_grad_();

        var channels = Making.Mask(new PerChannel { Score = score }, [12, 1], 7, Temperature.Relative(1)).Apply(weight);
        var unstructured = Making.Mask(new Unstructured(), [12, 1], 7, Temperature.Relative(1)).Apply(twin);
        channels.sum().backward();
        unstructured.sum().backward();

        Close.Equal(unstructured.Values(), channels.Values(), Close.Float64);
        Close.Equal(twin.grad!.Values(), weight.grad!.Values(), Close.Float64);
    }

    [Fact]
    public void Soft_OfAFilter_IsTheSameForAllItsWeights()
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new PerChannel(), [6, 2, 3, 3], 3, Temperature.Relative(1));

        var soft = mask.Soft(Tensors.Of(Tensors.Normal(11, 108), [6, 2, 3, 3])).Values();

        var filters = soft.Chunk(18).ToArray();
        Assert.All(filters, filter => Assert.Single(filter.Distinct()));
        Assert.Equal(6, filters.Select(filter => filter[0]).Distinct().Count());
        Assert.Equal(3, filters.Count(filter => filter[0] > 0.5));
    }

    [Fact]
    public void Kept_OfATransposedConvolution_RemovesItsOutputChannels()
    {
        using var scope = NewDisposeScope();
        var layout = new WeightLayout([4, 3, 2], inputDimension: 0);
        var mask = Making.Mask(new PerChannel(), layout, 1, Temperature.Relative(1));

        var kept = mask.Kept(Tensors.Of([.. Enumerable.Range(0, 24).Select(i => i / 2 % 3 == 1 ? 0.1 : 1.0)], [4, 3, 2]));

        Assert.Equal(Enumerable.Range(0, 24).Select(i => i / 2 % 3 == 1 ? 0.0 : 1.0), kept.Values());
    }

    [Fact]
    public void Score_ThatIsNone_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>("Score", () => new PerChannel { Score = (ScoreNorm)2 });

    [Fact]
    public void RemovedWeights_OfAMask_CountTheWholeFilters()
    {
        var mask = Making.Mask(new PerChannel(), [6, 2, 3, 3], 4, Temperature.Relative(1));

        Assert.Equal((4, 72, 72), (mask.Removed, mask.RemovedWeights, mask.TargetWeights));
    }
}
