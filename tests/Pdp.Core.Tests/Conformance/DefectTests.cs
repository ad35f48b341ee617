using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Conformance;

/// <summary>Defects of PQuantML's PDP, not to be repeated.</summary>
public sealed class DefectTests
{
    public static TheoryData<double, int> Counts
    {
        get
        {
            var counts = new TheoryData<double, int>();
            foreach (var sparsity in new[] { .8, .6, .85 })
            {
                foreach (var count in new[] { 10, 100, 1000, 36864 })
                    counts.Add(sparsity, count);
            }

            return counts;
        }
    }

    [Theory]
    [MemberData(nameof(Counts))]
    public void DefectA_TruncatedKeepCounts_AreIdealForTheWholeModel(double sparsity, int count)
    {
        using var layer = OneStep.LinearOf(Tensors.Normal(41, count), 1);
        using var pruner = OneStep.Begun(layer, OneStep.Options(sparsity));

        pruner.Commit();

        var ideal = (int)Math.Round((decimal)sparsity * count, MidpointRounding.AwayFromZero);
        Assert.Equal(count - ideal, OneStep.NonZeros(layer.weight!.Values()));
    }

    [Theory]
    [MemberData(nameof(Counts))]
    public void DefectA_TruncatedKeepCounts_AreIdealForALayerWithItsOwnSparsity(double sparsity, int count)
    {
        using var layer = OneStep.LinearOf(Tensors.Normal(42, count), 1);
        using var pruner = OneStep.Begun(layer, OneStep.Options() with { Rules = [new LayerRule("weight") { Sparsity = sparsity }] });

        pruner.Commit();

        var ideal = (int)Math.Floor((decimal)sparsity * count);
        Assert.Equal(count - ideal, OneStep.NonZeros(layer.weight!.Values()));
    }

    [Fact]
    public void DefectB_SparsityZero_PrunesNothing()
    {
        using var layer = OneStep.LinearOf(Tensors.Normal(43, 64), 8);
        using var pruner = OneStep.Begun(layer, OneStep.Options(0));
        var before = layer.weight!.Bits();

        var masked = OneStep.Masked(pruner, layer.weight!);
        var report = pruner.Commit();

        Assert.Equal(64, OneStep.NonZeros(masked));
        Assert.Equal(before, layer.weight!.Bits());
        Assert.Equal((0, 0.0), (report.Removed, report.Sparsity));
    }

    [Fact]
    public void DefectB_ALayerOfOneWeight_IsKept()
    {
        using var model = Sequential(("one", OneStep.LinearOf([1e-6], 1)), ("many", OneStep.LinearOf(Tensors.Normal(44, 9), 9)));
        using var pruner = OneStep.Begun(model, OneStep.Options(.8));

        var report = pruner.Commit();

        Assert.Equal([0, 8], report.Layers.Select(layer => layer.Removed));
        Assert.Equal([1e-6f], model.parameters().First().Values());
    }

    [Fact]
    public void DefectB_AChannelLayerWithOneOutput_IsKept()
    {
        using var layer = OneStep.LinearOf(Tensors.Normal(45, 8), 1);
        using var pruner = OneStep.Begun(
            layer, OneStep.Options() with { Strategy = new PerChannel(), Rules = [new LayerRule("weight") { Sparsity = .9 }] });

        pruner.Commit();

        Assert.Equal(8, OneStep.NonZeros(layer.weight!.Values()));
    }

    [Theory]
    [InlineData("global")]
    [InlineData("uniform")]
    [InlineData("erk")]
    [InlineData("lamp")]
    public void DefectC_ExcludedLayers_DoNotCountInTheBudget(string allocation)
    {
        using var model = Sequential(
            ("small", OneStep.LinearOf(Tensors.Normal(46, 1000, scale: 1e-4), 10)),
            ("first", OneStep.LinearOf(Tensors.Normal(47, 123), 3)),
            ("second", OneStep.LinearOf(Tensors.Normal(48, 456), 8)));
        using var pruner = OneStep.Begun(model, OneStep.Options(.7) with { Exclude = ["small"], Allocation = AllocationOf(allocation) });

        var report = pruner.Commit();

        Assert.Equal((579, 405), (report.PrunableWeights, report.Removed));
        Assert.Equal(405, model.parameters().Sum(parameter => parameter.numel() - OneStep.NonZeros(parameter.Values())));
        Assert.Equal(1000, OneStep.NonZeros(model.parameters().First().Values()));
    }

    [Theory]
    [InlineData("global")]
    [InlineData("uniform")]
    [InlineData("erk")]
    [InlineData("lamp")]
    public void DefectC_SparsityZeroInTheBudget_RemovesNothing(string allocation)
    {
        using var model = Sequential(
            ("first", OneStep.LinearOf(Tensors.Normal(49, 123), 3)), ("second", OneStep.LinearOf(new double[456], 8)));
        using var pruner = OneStep.Begun(model, OneStep.Options(0) with { Allocation = AllocationOf(allocation) });

        var report = pruner.Commit();

        Assert.Equal([0, 0], report.Layers.Select(layer => layer.Removed));
        Assert.Equal(123, OneStep.NonZeros(model.parameters().First().Values()));
    }

    [Theory]
    [InlineData(.3, .5)]
    [InlineData(.3, .123)]
    [InlineData(0, .5)]
    public void DefectD_WeightsThatAreAllTheSame_StillLoseTheExactCount(double value, double sparsity)
    {
        using var layer = OneStep.LinearOf([.. Enumerable.Range(0, 1000).Select(i => i % 2 == 0 ? value : -value)], 10);
        using var scope = NewDisposeScope();
        using var pruner = OneStep.Begun(layer, OneStep.Options(sparsity));

        var kept = pruner.Masks[0].Kept(layer.weight!).Values();
        var report = pruner.Commit(MaskForm.Raw);

        Assert.Equal(1000 - (1000 * sparsity), kept.Sum());
        Assert.Equal(value == 0 ? 0 : kept.Sum(), OneStep.NonZeros(layer.weight!.Values()));
        Assert.Equal((sparsity, 0), (report.Sparsity, report.Layers[0].Violations));
    }

    [Fact]
    public void DefectD_RowsOfZeros_DoNotSpoilTheCountOfTheOthers()
    {
        double[] weights = [.. new double[300], .. Tensors.Normal(50, 700)];
        using var layer = OneStep.LinearOf(weights, 10);
        using var pruner = OneStep.Begun(layer, OneStep.Options(.5));

        pruner.Commit();

        Assert.Equal(500, OneStep.NonZeros(layer.weight!.Values()));
    }

    [Theory]
    [InlineData(ScalarType.Float16, 2)]
    [InlineData(ScalarType.Float16, 200)]
    [InlineData(ScalarType.BFloat16, 2)]
    [InlineData(ScalarType.BFloat16, 200)]
    [InlineData(ScalarType.Float32, 200)]
    public void DefectF_LargeWeightsWithASmallTemperature_GiveNoNaN(ScalarType type, double scale)
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), [16, 16], 128, Temperature.Absolute(1e-5));
        var weight = Tensors.Of(Tensors.Normal(51, 256, scale), [16, 16], type).requires_grad_();

        var masked = mask.Apply(weight);
        masked.backward([Tensors.Of(Tensors.Normal(52, 256), [16, 16], type)]);

        Assert.True(weight.Values().Max(Math.Abs) > 0.809);
        Assert.All(masked.Values(), value => Assert.True(double.IsFinite(value)));
        Assert.All(weight.grad!.Values(), value => Assert.False(double.IsNaN(value)));
        Assert.InRange(OneStep.NonZeros(masked.Values()), 120, 136);
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    public void DefectF_MasksWhoseExponentialIsTiny_LeaveNoSubnormalNumbers(ScalarType type)
    {
        using var layer = Linear(32, 32, hasBias: false, dtype: type);
        using var scope = NewDisposeScope();
        Tensors.Fill(layer.weight!, [.. Enumerable.Range(0, 1024).Select(i => i < 512 ? Math.Pow(10, -i / 12.8) : 1)]);
        using var pruner = OneStep.Begun(layer, OneStep.Options(.5) with { Temperature = Temperature.Absolute(.01) });

        var masked = OneStep.Masked(pruner, layer.weight!);

        Assert.Contains(layer.weight!.Values(), weight => weight is > 0 and < 1e-38);
        Assert.All(masked, weight => Assert.True(weight == 0 || Math.Abs(weight) >= 1.1754943e-38));
        Assert.InRange(OneStep.NonZeros(masked), 512, 1000);
    }

    private static ISparsityAllocation AllocationOf(string name) => name switch
    {
        "uniform" => new UniformSparsity(),
        "erk" => new ErdosRenyiKernel(),
        "lamp" => new LayerAdaptiveMagnitude(),
        _ => new GlobalMagnitude(),
    };
}
