using Pdp.Strategies;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Conformance;

/// <summary>
/// Magnitude cases of TensorFlow Model Optimization (TFMOT), NNCF, torchao (PAT) and coremltools (CT), with which PDP has to agree in
/// the limit
/// τ → 0. Where they may remove a whole layer, one weight stays here; where they round counts otherwise, floor counts here.
/// </summary>
public sealed class MagnitudeCaseTests
{
    [Theory]
    [InlineData(10, .200000018, 8)]
    [InlineData(10, .2, 8)]
    [InlineData(100, .9999, 1)]
    [InlineData(100, .99, 1)]
    [InlineData(100, 0, 100)]
    public void Tfmot_MagnitudesOneToN_KeepTheLargest(int count, double sparsity, int kept)
    {
        using var layer = OneStep.LinearOf([.. Enumerable.Range(1, count).Select(i => i % 2 == 0 ? (double)i : -i)], 1);
        using var pruner = OneStep.Begun(layer, OneStep.Options() with { Rules = [new LayerRule("weight") { Sparsity = sparsity }] });

        var masked = OneStep.Masked(pruner, layer.weight!);

        Assert.Equal(layer.weight!.Values().Select((weight, i) => i < count - kept ? 0 : weight), masked);
    }

    [Fact]
    public void Tfmot_Threshold_LiesBetweenTheOrderStatistics()
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), [10], Counts.Floor(10, .200000018), Making.Sharp);

        // TFMOT's threshold is the smallest kept magnitude, 3; PDP's is the midpoint.
        var threshold = mask.Threshold(Tensors.Of([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).Values();

        Assert.Equal([2.5], threshold);
    }

    [Fact]
    public void Tfmot_ASequenceOfSparsities_IsFollowedStepByStep()
    {
        double[] sparsities = [0, .1, .1, .3, .3, .5, .5, .5, .5, .5];
        using var layer = OneStep.LinearOf([.. Enumerable.Range(1, 100).Select(i => (double)i)], 1);
        using var scope = NewDisposeScope();
        using var pruner = new PdpPruner(
            layer, OneStep.Options(.5) with { Epochs = 10, Schedule = new Steps([.. sparsities.Select(sparsity => sparsity / .5)]) });
        var left = new List<int>();

        for (var epoch = 0; epoch < sparsities.Length; epoch++)
        {
            pruner.BeginEpoch(epoch);
            left.Add(OneStep.NonZeros(OneStep.Masked(pruner, layer.weight!)));
        }

        Assert.Equal([100, 90, 90, 70, 70, 50, 50, 50, 50, 50], left);
    }

    [Fact]
    public void Nncf_HalfOfEachOfTwoConvolutions_Locally()
    {
        using var model = Sequential(("first", OneStep.Conv2dOf([1, 2, 3, 4], 4, 1)), ("second", OneStep.Conv2dOf([10, 20, 30, 40], 4, 1)));
        using var pruner = OneStep.Begun(model, OneStep.Options(.5) with { Allocation = new UniformSparsity() });

        pruner.Commit();

        Assert.Equal([[0, 0, 3, 4], [0, 0, 30, 40]], model.parameters().Select(parameter => parameter.Values()));
    }

    [Theory]
    [InlineData(.5)]
    [InlineData(.25)]
    public void Pat_GlobalOverAWholeLayer_LeavesItOneWeight(double sparsity)
    {
        using var model = Sequential(("a", OneStep.LinearOf([10, 9, 8, 7], 2)), ("b", OneStep.LinearOf([.4, .3, .2, .1], 2)));
        using var pruner = OneStep.Begun(model, OneStep.Options(sparsity));

        pruner.Commit();

        // torchao leaves 4 and 0 of four at one half.
        double[][] expected = sparsity == .5 ? [[10, 9, 8, 0], [.4f, 0, 0, 0]] : [[10, 9, 8, 7], [.4f, .3f, 0, 0]];
        Assert.Equal(expected, model.parameters().Select(parameter => parameter.Values()));
    }

    [Theory]
    [InlineData(4, 0, 0)]
    [InlineData(4, .5, 2)]
    [InlineData(4, .6, 2)]
    [InlineData(5, .5, 2)]
    [InlineData(5, .6, 3)]
    public void Pat_RowsOfGrowingValue_LoseTheFirstOnesAndKeepTheOthersBitForBit(int rows, double sparsity, int removed)
    {
        double[] weights = [.. Enumerable.Range(0, rows * 3).Select(i => (i / 3) + 1.0)];
        using var layer = OneStep.LinearOf(weights, rows);
        using var pruner = OneStep.Begun(
            layer, OneStep.Options() with { Rules = [new LayerRule("weight") { Sparsity = sparsity, Strategy = new PerChannel() }] });

        var masked = OneStep.Masked(pruner, layer.weight!);

        // torchao rounds up: 3 of 4 at 0.6 and 3 of 5 at 0.5.
        Assert.Equal(weights.Select((weight, i) => i / 3 < removed ? 0 : weight), masked);
    }

    [Fact]
    public void Ct_ConvolutionOfFourValues_LosesTheTwoSmallest()
    {
        using var layer = OneStep.Conv2dOf([.. Enumerable.Range(0, 108).Select(i => (i / 27) + 1.0)], 4, 3);
        using var pruner = OneStep.Begun(layer, OneStep.Options(.5));

        var masked = OneStep.Masked(pruner, layer.weight!);

        Assert.Equal(Enumerable.Range(0, 108).Select(i => i < 54 ? 0 : (i / 27) + 1.0), masked);
    }

    [Fact]
    public void Ct_OneShotAtStepTwo_MasksFromThenOn()
    {
        using var layer = OneStep.LinearOf([1, 2, 3, 4], 1);
        using var scope = NewDisposeScope();
        using var pruner = new PdpPruner(layer, OneStep.Options(.75) with { Epochs = 4, Schedule = new OneShot { Epoch = 2 } });
        var masks = new List<string>();

        for (var epoch = 0; epoch < 4; epoch++)
        {
            pruner.BeginEpoch(epoch);
            masks.Add(string.Concat(OneStep.Masked(pruner, layer.weight!).Select(weight => weight == 0 ? 0 : 1)));
        }

        Assert.Equal(["1111", "1111", "0001", "0001"], masks);
    }

    [Fact]
    public void Ct_RemovedChannels_GiveExactlyZero()
    {
        using var layer = OneStep.LinearOf([1, 2, 30, 40, 3, 1, 50, 60], 4);
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(layer, OneStep.Options(.5) with { Strategy = new PerChannel() });

        pruner.Commit();
        var output = layer.call(Tensors.Of([.7, -.3], [1, 2], ScalarType.Float32)).Values();

        Assert.Equal([0, 0], [output[0], output[2]]);
        Assert.All([output[1], output[3]], value => Assert.NotEqual(0, value));
    }

    /// <summary>A schedule given step by step.</summary>
    private sealed record Steps(double[] Fractions) : ISparsityScheduler
    {
        public double StartEpoch => 0;

        public double EndEpoch => Fractions.Length;

        public double Fraction(double epoch) => Fractions[Math.Min((int)epoch, Fractions.Length - 1)];
    }
}
