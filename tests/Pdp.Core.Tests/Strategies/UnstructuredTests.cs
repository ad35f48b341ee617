using CsCheck;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Strategies;

/// <summary>The laws of the equations, on layers whose weights all compete.</summary>
public sealed class UnstructuredTests
{
    private static readonly Unstructured Strategy = new();

    /// <summary>Normal weights, the number removed, and τ over t² from soft to fairly hard.</summary>
    private static readonly Gen<(double[] Weights, int Removed, double Ratio)> Layers =
        from seed in Gen.Int[0, 1_000_000]
        from count in Gen.Int[2, 40]
        from removed in Gen.Int[1, count - 1]
        from ratio in Gen.OneOf(0.1, 0.25, 1.0, 2.0)
        select (Tensors.Normal(seed, count), removed, ratio);

    /// <summary>Weights on a coarse grid: many ties and zeros.</summary>
    private static readonly Gen<(double[] Weights, int Removed)> Ties =
        from weights in Gen.Int[-3, 3].Select(step => step / 4.0).Array[1, 30]
        from removed in Gen.Int[0, weights.Length - 1]
        select (weights, removed);

    [Fact]
    public void Soft_OfAnyWeights_LiesInTheUnitIntervalAndIgnoresSigns() => Law.Holds(Layers, layer =>
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(layer.Weights, layer.Removed, Temperature.Relative(layer.Ratio));

        var soft = mask.Soft(Tensors.Of(layer.Weights)).Values();
        var mirrored = mask.Soft(Tensors.Of([.. layer.Weights.Select(weight => -weight)])).Values();

        Assert.All(soft, value => Assert.InRange(value, 0, 1));
        Assert.Equal(soft, mirrored);
    });

    [Fact]
    public void Soft_OfLargerMagnitudes_IsNeverSmaller() => Law.Holds(Layers, layer =>
    {
        using var scope = NewDisposeScope();
        double[] sorted = [.. layer.Weights.OrderBy(Math.Abs)];
        var mask = MaskOf(sorted, layer.Removed, Temperature.Relative(layer.Ratio));

        var soft = mask.Soft(Tensors.Of(sorted)).Values();

        // Vectorised and scalar parts of a loop may differ in the last place.
        Assert.All(soft.Zip(soft.Skip(1)), pair => Assert.True(pair.First <= pair.Second * (1 + 1e-14)));
        Assert.True(soft[0] < soft[^1]);
    });

    [Fact]
    public void Soft_AtTheThreshold_IsOneHalf() => Law.Holds(Layers, layer =>
    {
        using var scope = NewDisposeScope();
        var threshold = Oracle.Threshold(layer.Weights, layer.Removed);
        double[] weights = [.. layer.Weights.Where(weight => Math.Abs(weight) != threshold), threshold, -threshold];
        var mask = MaskOf(weights, layer.Removed + 1, Temperature.Relative(layer.Ratio));

        var soft = mask.Soft(Tensors.Of(weights)).Values();

        Assert.Equal([.5, .5], soft[^2..]);
    });

    [Fact]
    public void Soft_AboveOneHalf_CountsTheKeptWeights() => Law.Holds(Layers, layer =>
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(layer.Weights, layer.Removed, Temperature.Relative(layer.Ratio));

        var soft = mask.Soft(Tensors.Of(layer.Weights)).Values();

        Assert.Equal(layer.Weights.Length - layer.Removed, soft.Count(value => value > 0.5));
    });

    [Fact]
    public void Soft_OfAnyWeights_IsTheSigmoidOfItsEquation() => Law.Holds(Layers, layer =>
    {
        using var scope = NewDisposeScope();
        var threshold = Oracle.Threshold(layer.Weights, layer.Removed);
        var mask = MaskOf(layer.Weights, layer.Removed, Temperature.Absolute(layer.Ratio));

        var soft = mask.Soft(Tensors.Of(layer.Weights)).Values();

        var expected = layer.Weights.Select(weight => Oracle.Mask(weight, threshold, layer.Ratio))
            .Select(value => value < 1e-12 ? 0 : value);
        Close.Equal([.. expected], soft, Close.Float64);
    });

    [Fact]
    public void Apply_ToScaledWeights_ScalesWithTheTemperature() =>
        Law.Holds(from layer in Layers from scale in Gen.OneOf(1e-3, 0.37, 3.0, 1e3) select (layer, scale), drawn =>
    {
        using var scope = NewDisposeScope();
        var ((weights, removed, ratio), scale) = drawn;
        double[] scaled = [.. weights.Select(weight => scale * weight)];

        var expected = MaskOf(weights, removed, Temperature.Absolute(ratio)).Apply(Tensors.Of(weights)).Values();
        var actual = MaskOf(scaled, removed, Temperature.Absolute(ratio * scale * scale)).Apply(Tensors.Of(scaled)).Values();

        Close.Equal([.. expected.Select(value => scale * value)], actual, Close.Float64);
    });

    [Fact]
    public void Apply_WithARelativeTemperature_ScalesWithTheWeightsAlone() =>
        Law.Holds(from layer in Layers from scale in Gen.OneOf(1e-3, 0.37, 3.0, 1e3) select (layer, scale), drawn =>
    {
        using var scope = NewDisposeScope();
        var ((weights, removed, ratio), scale) = drawn;
        double[] scaled = [.. weights.Select(weight => scale * weight)];
        var mask = MaskOf(weights, removed, Temperature.Relative(ratio));

        var expected = mask.Apply(Tensors.Of(weights)).Values();
        var actual = mask.Apply(Tensors.Of(scaled)).Values();

        // Far below the threshold the logit's own rounding shows: its size is 1/ρ, up to a few hundred for the largest weights.
        Close.Equal([.. expected.Select(value => scale * value)], actual, 10 * Close.Float64);
    });

    [Fact]
    public void Apply_ToMirroredWeights_IsMirrored() => Law.Holds(Layers, layer =>
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(layer.Weights, layer.Removed, Temperature.Relative(layer.Ratio));

        var masked = mask.Apply(Tensors.Of(layer.Weights)).Values();
        var mirrored = mask.Apply(Tensors.Of([.. layer.Weights.Select(weight => -weight)])).Values();

        Assert.Equal(masked.Select(value => -value), mirrored);
    });

    [Fact]
    public void Apply_ToPermutedWeights_IsPermuted() => Law.Holds(Layers, layer =>
    {
        using var scope = NewDisposeScope();
        var order = Enumerable.Range(0, layer.Weights.Length).OrderBy(i => (i * 7919L) % 31).ThenByDescending(i => i).ToArray();
        var mask = MaskOf(layer.Weights, layer.Removed, Temperature.Relative(layer.Ratio));

        var masked = mask.Apply(Tensors.Of(layer.Weights)).Values();
        var permuted = mask.Apply(Tensors.Of([.. order.Select(i => layer.Weights[i])])).Values();

        Close.Equal([.. order.Select(i => masked[i])], permuted, Close.Float64);
    });

    [Fact]
    public void Apply_WithVanishingTemperature_IsMagnitudePruning() => Law.Holds(Layers, layer =>
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(layer.Weights, layer.Removed, Temperature.Absolute(1e-30));

        var masked = mask.Apply(Tensors.Of(layer.Weights)).Values();

        var kept = Oracle.Kept(layer.Weights, layer.Removed);
        Assert.Equal(layer.Weights.Zip(kept, (weight, stays) => stays ? weight : 0), masked);
    });

    [Fact]
    public void Threshold_OfWeightsWithTies_IsBitEqualToAFullSort() => Law.Holds(Ties.Where(layer => layer.Removed > 0), layer =>
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(layer.Weights, layer.Removed, Temperature.Relative(1));

        var threshold = mask.Threshold(Tensors.Of(layer.Weights));

        Assert.Equal([1, 1], threshold.shape);
        Assert.Equal([Oracle.Threshold(layer.Weights, layer.Removed)], threshold.Values());
    });

    [Fact]
    public void Threshold_InFloat32_IsBitEqualToAFullSort() => Law.Holds(Layers, layer =>
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(layer.Weights, layer.Removed, Temperature.Relative(1));

        var threshold = mask.Threshold(Tensors.Of(layer.Weights, type: ScalarType.Float32)).Values();

        var sorted = layer.Weights.Select(weight => Math.Abs((float)weight)).Order().ToArray();
        Assert.Equal([0.5f * (sorted[layer.Removed - 1] + sorted[layer.Removed])], threshold);
    });

    [Fact]
    public void Kept_OfWeightsWithTiesAndZeros_IsTheStableOrder() => Law.Holds(Ties, layer =>
    {
        using var scope = NewDisposeScope();
        var mask = MaskOf(layer.Weights, layer.Removed, Temperature.Relative(1));

        var kept = mask.Kept(Tensors.Of(layer.Weights));

        Assert.Equal(ScalarType.Bool, kept.dtype);
        Assert.Equal(Oracle.Kept(layer.Weights, layer.Removed).Select(stays => stays ? 1.0 : 0.0), kept.Values());
    }, count: 200);

    private static PdpMask MaskOf(double[] weights, int removed, Temperature temperature) =>
        Making.Mask(Strategy, [weights.Length], removed, temperature);
}
