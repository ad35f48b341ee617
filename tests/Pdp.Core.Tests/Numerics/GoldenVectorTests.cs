using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Numerics;

/// <summary>Vectors A to F, computed independently in float64 and given to nine digits.</summary>
public sealed class GoldenVectorTests
{
    private static readonly double[] VectorA = [.1, -.2, .3, -.4];
    private static readonly double[] VectorB = [.5, -.1, .25, .05, -.6, .3, -.15, .02];

    [Theory]
    [InlineData(1, new[] { .486878014, .494375237, .506874567, .524355709 }, new[] { .49187457, .514372706, .55186606, .604165885 })]
    [InlineData(.1, new[] { .371683812, .443986109, .568319983, .726114981 }, new[] { .418390803, .641476065, 1.00991827, 1.36250543 })]
    [InlineData(.01, new[] { .00522012569, .0953494649, .93991335, .999941709 }, new[] { .0156058777, .78541302, 1.95648575, 1.00180692 })]
    public void VectorA_WithHalfRemoved_GivesItsMaskAndGradient(double temperature, double[] mask, double[] gradient)
    {
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(new Unstructured(), [4], 2, Temperature.Absolute(temperature));
        var weight = Tensors.Of(VectorA).requires_grad_();

        pdp.Apply(weight).sum().backward();

        Close.Equal([.25], pdp.Threshold(weight).Values(), Close.Float64);
        Close.Equal(mask, pdp.Soft(weight).Values(), Close.NineDigits);
        Close.Equal(gradient, weight.grad!.Values(), Close.NineDigits);
    }

    [Theory]
    [InlineData(1, new[] { .0486878014, -.0988750475, .15206237, -.209742284 })]
    [InlineData(.01, new[] { .000522012569, -.019069893, .281974005, -.399976683 })]
    public void VectorA_WithHalfRemoved_GivesItsMaskedWeights(double temperature, double[] masked)
    {
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(new Unstructured(), [4], 2, Temperature.Absolute(temperature));

        var actual = pdp.Apply(Tensors.Of(VectorA));

        Close.Equal(masked, actual.Values(), Close.NineDigits);
    }

    [Fact]
    public void VectorA_Differentiated_HoldsTheThresholdConstant()
    {
        // With the gradient through t it would be .561555851 and 1.08983848 for the first two.
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(new Unstructured(), [4], 2, Temperature.Absolute(.1));
        var weight = Tensors.Of(VectorA).requires_grad_();

        pdp.Apply(weight).sum().backward();

        Close.Equal([.418390803, .641476065], weight.grad!.Values()[..2], Close.NineDigits);
    }

    [Theory]
    [InlineData(2, .075, new[] { 1, .60766317, .996623388, .422504635, 1, .999783456, .843895103, .372267836 })]
    [InlineData(4, .2, new[] { 1, .0474258732, .904650535, .0229773699, 1, .993307149, .148047198, .01870651 })]
    [InlineData(
        6, .4, new[] { .999876605, 3.05902227e-7, 5.82912657e-5, 1.44498004e-7, .999999998, 9.11051194e-4, 1.06770287e-6, 1.17127809e-7 })]
    public void VectorB_AtThreeSparsities_GivesItsThresholdAndMask(long removed, double threshold, double[] mask)
    {
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(new Unstructured(), [8], removed, Temperature.Absolute(.01));
        var weight = Tensors.Of(VectorB);

        var soft = pdp.Soft(weight);

        Close.Equal([threshold], pdp.Threshold(weight).Values(), Close.Float64);
        Close.Equal(mask, soft.Values(), Close.NineDigits);
    }

    [Theory]
    [InlineData(2, new[] { 1, 1.08448045, 1.03868852, .544501869, 1, 1.0036804, 1.43670782, .390962596 })]
    [InlineData(4, new[] { 1, .137779193, 1.98287484, .0342020751, 1, 1.11297217, .715628711, .0201750361 })]
    public void VectorB_AtTwoSparsities_GivesItsGradient(long removed, double[] gradient)
    {
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(new Unstructured(), [8], removed, Temperature.Absolute(.01));
        var weight = Tensors.Of(VectorB).requires_grad_();

        pdp.Apply(weight).sum().backward();

        // 1.00000004 is given as 1.
        Close.Equal(gradient, weight.grad!.Values(), Close.NineDigits, absolute: 5e-8);
    }

    [Theory]
    [InlineData(4, new double[] { 1, 0, 1, 0, 1, 1, 0, 0 })]
    [InlineData(6, new double[] { 1, 0, 0, 0, 1, 0, 0, 0 })]
    public void VectorB_HardMask_KeepsTheLargest(long removed, double[] kept)
    {
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(new Unstructured(), [8], removed, Temperature.Absolute(.01));

        var hard = pdp.Kept(Tensors.Of(VectorB));

        Assert.Equal(kept, hard.Values());
    }

    [Fact]
    public void VectorC_OfTies_IsHalfOpenAndKeepsTheLaterTwo()
    {
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(new Unstructured(), [4], 2, Temperature.Absolute(.01));
        var weight = Tensors.Of([.3, -.3, .3, -.3]).requires_grad_();

        pdp.Apply(weight).sum().backward();

        Assert.Equal([.5, .5, .5, .5], pdp.Soft(weight).Values());
        Close.Equal([5, 5, 5, 5], weight.grad!.Values(), Close.Float64);
        Assert.Equal([0, 0, 1, 1], pdp.Kept(weight).Values());
    }

    [Fact]
    public void VectorD_OfZeros_IsHalfOpenAndLosesExactlyTwo()
    {
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(new Unstructured(), [4], 2, Temperature.Absolute(.01));
        var weight = Tensors.Of([0, 0, 0, 1]);

        var soft = pdp.Soft(weight);

        Assert.Equal([0], pdp.Threshold(weight).Values());
        Assert.Equal([.5, .5, .5, 1], soft.Values());
        Assert.Equal([0, 0, 1, 1], pdp.Kept(weight).Values());
    }

    [Theory]
    [InlineData(new[] { .5, -.1, .25, .05 }, .175, new[] { 1, .112795406, .960361161, .0566524253 })]
    [InlineData(new[] { -.6, .3, -.15, .02 }, .225, new[] { 1, .980875963, .0566524253, .00654491786 })]
    [InlineData(new[] { .1, -.2, .3, -.4 }, .25, new[] { .00522012569, .0953494649, .93991335, .999941709 })]
    public void VectorE_TwoOfFour_GivesEachBlockItsOwnThreshold(double[] block, double threshold, double[] mask)
    {
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(NofM.Keep(2, of: 4), [1, 8], 2, Temperature.Absolute(.01));
        var weight = Tensors.Of([9, 8, .7, .6, .. block], [1, 8]);

        var soft = pdp.Soft(weight);

        Close.Equal([4.35, threshold], pdp.Threshold(weight).Values(), Close.Float64);
        Close.Equal(mask, soft.Values()[4..], Close.NineDigits);
    }

    [Fact]
    public void VectorF_OfChannels_ComparesTheirNorms()
    {
        using var scope = NewDisposeScope();
        var pdp = Making.Mask(new PerChannel { Score = ScoreNorm.L2 }, [4, 2], 2, Temperature.Absolute(.01));
        var weight = Tensors.Of([.3, .4, .6, .8, .05, .12, 1.5, 2], [4, 2]);

        var kept = pdp.Kept(weight);

        Close.Equal([.75], pdp.Threshold(weight).Values(), Close.Float64);
        Assert.Equal([0, 0, 1, 1, 0, 0, 1, 1], kept.Values());
    }
}
