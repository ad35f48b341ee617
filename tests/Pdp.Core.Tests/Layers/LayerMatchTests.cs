using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Layers;

public sealed class LayerMatchTests
{
    [Fact]
    public void Match_InWords_SaysWhatItMeans()
    {
        LayerMatch named = "layer4.*";

        Assert.Equal("'layer4.*'", named.ToString());
        Assert.Equal("modules of type Conv2d", LayerMatch.OfType<Conv2d>().ToString());
        Assert.Equal("a predicate", LayerMatch.Where(_ => true).ToString());
        Assert.Equal(("the first layer", "the classifier"), (LayerMatch.First.ToString(), LayerMatch.Classifier.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void Match_WithoutAPatternOrWords_Throws(string pattern)
    {
        Assert.Throws<ArgumentException>(() => LayerMatch.Named(pattern));
        Assert.Throws<ArgumentException>(() => LayerMatch.OfType(pattern));
        Assert.Throws<ArgumentException>(() => LayerMatch.Where(_ => true, pattern));
        Assert.Throws<ArgumentNullException>(() => LayerMatch.Where(null!));
        Assert.Throws<ArgumentNullException>(() => new LayerRule(null!));
    }

    [Theory]
    [InlineData("encoder.0.fc.weight")]
    [InlineData("encoder.0.fc")]
    [InlineData("encoder.0")]
    [InlineData("encoder")]
    [InlineData("*fc")]
    [InlineData("*.weight")]
    [InlineData("encoder*")]
    [InlineData("encoder.*")]
    [InlineData("encoder.?")]
    [InlineData("*.0")]
    public void Matches_TheWeightAndTheModulesThatContainIt(string pattern) => Assert.True(LayerMatch.Named(pattern).Matches(Layer()));

    [Theory]
    [InlineData("fc")]
    [InlineData("0")]
    [InlineData("weight")]
    [InlineData("0.fc")]
    [InlineData("enc")]
    [InlineData("encoder.")]
    [InlineData("encoder.0.f")]
    [InlineData("Encoder")]
    [InlineData("encoder.0.fc.weight.*")]
    [InlineData("*.f")]
    [InlineData("encode?.")]
    public void Matches_NoPartOfAName(string pattern) => Assert.False(LayerMatch.Named(pattern).Matches(Layer()));

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Sparsity_OfARuleOutsideOfItsRange_Throws(double sparsity) =>
        Assert.Throws<ArgumentOutOfRangeException>("Sparsity", () => new LayerRule("fc") { Sparsity = sparsity });

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Bounds_OfARuleOutsideOfTheirRange_Throw(double sparsity)
    {
        Assert.Throws<ArgumentOutOfRangeException>("MinimumSparsity", () => new LayerRule("fc") { MinimumSparsity = sparsity });
        Assert.Throws<ArgumentOutOfRangeException>("MaximumSparsity", () => new LayerRule("fc") { MaximumSparsity = sparsity });
    }

    [Fact]
    public void Rule_AtItsBounds_IsAccepted()
    {
        var rule = new LayerRule("fc") { Sparsity = 0, MinimumSparsity = 0, MaximumSparsity = 1, Temperature = Temperature.Relative(1) };

        Assert.Equal((0, 0, 1), (rule.Sparsity, rule.MinimumSparsity, rule.MaximumSparsity));
        Assert.Null((rule with { Sparsity = null }).Sparsity);
    }

    private static LayerInfo Layer()
    {
        using var module = Linear(2, 2);
        return new()
        {
            Name = "encoder.0.fc.weight",
            ModuleName = "encoder.0.fc",
            Module = module,
            Layout = new WeightLayout([2, 2]),
            Index = 0,
        };
    }
}
