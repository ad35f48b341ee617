using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Conformance;

/// <summary>
/// N:M cases of coremltools (CT), TensorFlow Model Optimization (TFMOT), SparseML (SM) and torchao (PAT). The first two name a pattern by
/// its
/// zeros; here it is always named by what is kept. A layer whose inputs are not divisible by M stays dense here instead of being padded.
/// </summary>
public sealed class NofMCaseTests
{
    private static readonly double[] CtWeights = [2, 3, 0, 4, 5, 9, 1, 1, 3, 6, 1, 0, 2, 3, 8, 9];

    [Theory]
    [InlineData(new long[] { 2, 8 })]
    [InlineData(new long[] { 2, 8, 1, 1 })]
    public void Ct_TwoOfFourAlongTheInputs(long[] shape)
    {
        using var scope = NewDisposeScope();

        var kept = Kept(NofM.Keep(2, of: 4), new WeightLayout(shape), CtWeights);

        Assert.Equal([0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1], kept);
    }

    [Theory]
    [InlineData(new long[] { 2, 8 })]
    [InlineData(new long[] { 2, 8, 1, 1 })]
    public void Ct_OneOfTwoAlongTheFirstDimension(long[] shape)
    {
        using var scope = NewDisposeScope();

        var kept = Kept(NofM.Keep(1, of: 2), new WeightLayout(shape, inputDimension: 0), CtWeights);

        Assert.Equal([0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1], kept);
    }

    [Fact]
    public void Ct_OneOfTwoInTheDocumentation_ThroughAModel()
    {
        using var layer = OneStep.LinearOf([3, 4, 7, 6, 1, 8, -3, -8, -2, -3, -4, 0, 5, 4, -3, -2], 4);
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(layer, OneStep.Options() with { Strategy = NofM.Keep(1, of: 2) });

        var masked = OneStep.Masked(pruner, layer.weight!);
        pruner.Commit();

        double[] expected = [0, 4, 7, 0, 0, 8, 0, -8, 0, -3, -4, 0, 5, 0, -3, 0];
        Assert.Equal(expected, masked);
        Assert.Equal(expected, layer.weight!.Values());
    }

    [Fact]
    public void Ct_OneOfEightGradually_TakesOneMoreInEachStep()
    {
        using var scope = NewDisposeScope();
        var mask = new PdpMask("w", new WeightLayout([3, 8]), NofM.Keep(1, of: 8), Making.Sharp, target: 7);
        var weight = Tensors.Of(Tensors.Normal(31, 24), [3, 8]);

        for (var step = 0; step <= 6; step++)
        {
            mask.Advance((step + 1) / 7.0, 0);
            Assert.All(mask.Apply(weight).Values().Chunk(8), row => Assert.Equal(7 - step, OneStep.NonZeros(row)));
        }
    }

    [Fact]
    public void Tfmot_TwoZerosInFour()
    {
        using var scope = NewDisposeScope();

        var kept = Kept(NofM.Keep(2, of: 4), new WeightLayout([2, 4]), [.25, -1.33, .43, -.11, .47, .92, -.13, -2.23]);

        Assert.Equal([0, 1, 1, 0, 0, 1, 0, 1], kept);
    }

    [Fact]
    public void Tfmot_ThreeZerosInFive()
    {
        using var scope = NewDisposeScope();

        var kept = Kept(NofM.Keep(2, of: 5), new WeightLayout([2, 5]), [1.71, -.27, -.3, -.61, -.19, -.4, 1.12, .46, -1.12, .17]);

        Assert.Equal([1, 0, 0, 1, 0, 0, 1, 0, 1, 0], kept);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    public void Tfmot_RowsWithATailBlock_StayDenseWithAReason(int kept, int of)
    {
        using var model = Sequential(
            ("odd", OneStep.LinearOf([-.49, -.66, .42, .31, .63, -1.63], 2)),
            ("even", OneStep.LinearOf([-.49, -.66, 0, 0, .31, .63, 0, 0], 2)));
        using var pruner = OneStep.Begun(model, OneStep.Options() with { Strategy = NofM.Keep(kept, of) });

        var plan = pruner.Plan();
        pruner.Commit();

        Assert.Equal($"3 inputs are not divisible by {of}", plan.Layers[0].DenseReason);
        Assert.Equal(6, OneStep.NonZeros(model.parameters().First().Values()));
        Assert.Equal(of == 2 ? [0, 1, 0, 0, 0, 1, 0, 0] : [1, 1, 0, 0, 1, 1, 0, 0], model.parameters().Last().Values().Select(
            weight => weight == 0 ? 0.0 : 1.0));
    }

    [Theory]
    [InlineData(2, 4, new double[] { 1, 2, 0, 0 }, 0)]
    [InlineData(2, 4, new double[] { 1, 2, 3, 4 }, 1)]
    [InlineData(1, 2, new double[] { 1, 0, 2, 0 }, 0)]
    [InlineData(2, 4, new double[] { 0, 0, 0, 0 }, 0)]
    [InlineData(2, 4, new double[] { 1, 2, 0, 0, 5, 6, 0, 0 }, 0)]
    [InlineData(2, 4, new double[] { 1, 2, 0, 0, 5, 6, 7, 0 }, 1)]
    public void Tfmot_IsPruned_IsAReportWithoutViolations(int kept, int of, double[] weights, long violations)
    {
        using var layer = OneStep.LinearOf(Tensors.Normal(32, weights.Length), 1);
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(layer, OneStep.Options() with { Strategy = NofM.Keep(kept, of) });
        Assert.Equal(0, pruner.Commit().Layers[0].Violations);

        Tensors.Fill(layer.weight!, weights);

        Assert.Equal(violations, pruner.Report().Layers[0].Violations);
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(3, 4)]
    [InlineData(1, 8)]
    [InlineData(7, 8)]
    public void Sm_EachBlockOfLargeLayers_KeepsN(int kept, int of)
    {
        using var model = Sequential(
            ("linear", OneStep.LinearOf(Tensors.Normal(33, 64 * 64), 64)),
            ("conv", OneStep.Conv2dOf(Tensors.Normal(34, 64 * 64 * 9), 64, 3)),
            ("odd", OneStep.LinearOf(Tensors.Normal(35, 64 * 513), 64)));
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(model, OneStep.Options() with { Strategy = NofM.Keep(kept, of) });

        var report = pruner.Commit();

        var (linear, conv) = (model.parameters().First(), model.parameters().ElementAt(1));
        Assert.All(Oracle.Blocks(linear.shape, 1, of), Block(linear.Values(), kept));
        Assert.All(Oracle.Blocks(conv.shape, 1, of), Block(conv.Values(), kept));
        Assert.Equal(1 - (kept / (double)of), report.Sparsity);
        Assert.Equal($"513 inputs are not divisible by {of}", pruner.Plan().Layers[2].DenseReason);
    }

    [Fact]
    public void Pat_TwoOfFour()
    {
        using var scope = NewDisposeScope();

        var kept = Kept(NofM.Keep(2, of: 4), new WeightLayout([1, 4]), [1, -3, 2, -.5]);

        Assert.Equal([0, 1, 1, 0], kept);
    }

    private static Action<int[]> Block(double[] values, int kept) => block => Assert.Equal(kept, block.Count(i => values[i] != 0));

    /// <summary>What is left by the hard mask, and by the soft one in the limit of a vanishing temperature.</summary>
    private static double[] Kept(NofM pattern, WeightLayout layout, double[] weights)
    {
        var mask = Making.Mask(pattern, layout, pattern.Of - pattern.Kept, Making.Sharp);
        var weight = Tensors.Of(weights, [.. layout.Shape]);
        var kept = mask.Kept(weight).Values();
        Assert.Equal(kept.Zip(weights, (stays, value) => stays * value), mask.Apply(weight).Values());
        return kept;
    }
}
