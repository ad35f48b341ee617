using CsCheck;
using Pdp.Masking;
using Pdp.Tests.Support;
using static Pdp.Tests.Masking.BatchLayers;
using static TorchSharp.torch;

namespace Pdp.Tests.Masking;

/// <summary>A batch against the tensor operations on each weight, which it stands for; on the CPU, as a GPU computes the same.</summary>
public sealed class BatchScopeTests
{
    public static TheoryData<string, ScalarType, string, string?> Cases()
    {
        var cases = new TheoryData<string, ScalarType, string, string?>();
        foreach (var strategy in (string[])["unstructured", "2:4", "3:8"])
        {
            foreach (var type in (ScalarType[])[ScalarType.Float64, ScalarType.BFloat16])
            {
                foreach (var temperature in (string[])["0.25", "1e-5", "absolute"])
                    cases.Add(strategy, type, temperature, null);
                cases.Add(strategy, type, "0.25", "1");
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_OfManyWeights_GivesWhatEachGivesAlone(string strategy, ScalarType type, string temperature, string? gradient)
    {
        var (expected, actual) = (Model(strategy, type, temperature, gradient), Model(strategy, type, temperature, gradient));
        using var alone = new MaskedModel(expected, []);
        using var together = Batched(actual);
        foreach (var model in (MaskedModel[])[alone, together])
            model.Advance(1, 0);

        var before = actual.Select(layer => Weight(layer).Bits()).ToArray();
        var (weights, gradients) = Step(alone);
        var (batchWeights, batchGradients) = Step(together);

        foreach (var (one, other) in weights.Zip(batchWeights).Concat(gradients.Zip(batchGradients)))
            Close.Equal(one, other, Tolerance(type), 1e-300);
        Assert.Equal(before, actual.Select(layer => Weight(layer).Bits()));
    }

    [Fact]
    public void Scope_OfAnySizesAndCounts_GivesWhatEachGivesAlone()
    {
        var size = Gen.Select(Gen.Int[1, 40], Gen.Int[1, 6], Gen.Int[0, 100], (rows, columns, percent) => (rows, columns, percent));
        Law.Holds(size.Array[1, 9], sizes =>
        {
            PrunedLayer[] Make() =>
            [
                .. sizes.Select((size, index) => Layer(
                    $"{index}", [size.rows, size.columns], new Unstructured(), ScalarType.Float64, Temperature.Relative(0.25), null,
                    target: ((size.rows * size.columns) - 1) * size.percent / 100,
                    // Ties: few different numbers.
                    values: place => (place * 7 % 5) - 2)),
            ];
            using var alone = new MaskedModel(Make(), []);
            using var together = Batched(Make());
            var before = together.Layers.Select(layer => Weight(layer).Bits()).ToArray();
            foreach (var fraction in (double[])[0.3, 1])
            {
                alone.Advance(fraction, 0);
                together.Advance(fraction, 0);
                var (expected, actual) = (Step(alone), Step(together));
                Assert.Equal(before, together.Layers.Select(layer => Weight(layer).Bits()));
                foreach (var (one, other) in expected.Weights.Zip(actual.Weights).Concat(expected.Gradients.Zip(actual.Gradients)))
                    Close.Equal(one, other, Close.Float64, 1e-300);
            }
        });
    }

    [Fact]
    public void Scope_WithEarlierGradients_AddsToThem()
    {
        using var model = Batched(Model("unstructured", ScalarType.Float64, "0.25", null));
        model.Advance(1, 0);
        var (_, once) = Step(model);

        var (_, twice) = Step(model, isZeroed: false);

        foreach (var (one, both) in once.Zip(twice))
            Close.Equal([.. one.Select(value => 2 * value)], both, Close.Float64, 1e-300);
    }

    [Fact]
    public void Scope_WhereAWeightHasNoGradient_LeavesItWithout()
    {
        using var scope = NewDisposeScope();
        var layers = Model("unstructured", ScalarType.Float64, "0.25", null);
        using var model = Batched(layers);
        model.Advance(1, 0);

        model.Enter(MaskForm.Soft);
        Weight(layers[1]).sum().backward();
        bool[] arrived = [.. layers.Select(layer => { Assert.Null(layer.Group.Leave(out var has)); return has; })];

        Assert.Equal([false, true, false, false, false], arrived);
        Assert.Equal(arrived, layers.Select(layer => Weight(layer).grad is not null));
    }

    [Fact]
    public void Scope_InWhichAWeightIsChanged_SaysWhichAndRestoresAll()
    {
        using var scope = NewDisposeScope();
        var layers = Model("unstructured", ScalarType.Float64, "0.25", null);
        using var model = Batched(layers);
        model.Advance(1, 0);
        var before = layers.Select(layer => Weight(layer).Bits()).ToArray();

        model.Enter(MaskForm.Soft);
        using (no_grad())
        {
            Weight(layers[0]).copy_(Weight(layers[0]).clone());
            Weight(layers[2]).neg_();
        }

        string?[] faults = [.. layers.Select(layer => layer.Group.Leave(out var _))];

        Assert.Contains("'2' was changed inside the mask scope", faults[2], StringComparison.Ordinal);
        Assert.All(faults.Where((_, index) => index != 2), Assert.Null);
        Assert.Equal(before, layers.Select(layer => Weight(layer).Bits()));
    }

    [Fact]
    public void Scope_InWhichAWeightIsDisposedOf_RestoresTheOthersAndSaysWhich()
    {
        using var scope = NewDisposeScope();
        var layers = Model("unstructured", ScalarType.Float64, "0.25", null);
        using var model = Batched(layers);
        model.Advance(1, 0);
        PrunedLayer[] others = [.. layers.Where((_, index) => index != 1)];
        foreach (var layer in layers)
            Weight(layer).grad = Weight(layer).ones_like();
        var before = others.Select(layer => Weight(layer).Bits()).ToArray();

        model.Enter(MaskForm.Soft);
        Weight(layers[1]).Dispose();

        var error = Assert.Throws<InvalidOperationException>(() => layers[0].Group.Leave(out var _));
        Assert.StartsWith("'1' was moved or replaced", error.Message, StringComparison.Ordinal);
        Assert.All(layers.Skip(1), layer => Assert.Null(layer.Group.Leave(out var _)));
        Assert.Equal(before, others.Select(layer => Weight(layer).Bits()));
        Assert.All(others, layer => Assert.All(Weight(layer).grad!.Values(), value => Assert.Equal(1, value)));
    }

    [Fact]
    public void Enter_WhenAWeightIsNotFinite_NamesItAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        var layers = Model("unstructured", ScalarType.Float64, "0.25", null);
        using var model = Batched(layers);
        model.Advance(1, 0);
        using (no_grad())
            Weight(layers[3]).fill_(tensor(double.NaN).ToScalar());
        foreach (var layer in layers)
            Weight(layer).grad = Weight(layer).ones_like();
        var before = layers.Select(layer => Weight(layer).Bits()).ToArray();

        var error = Assert.Throws<InvalidOperationException>(() => model.Enter(MaskForm.Soft));

        Assert.StartsWith("'3' holds NaN or infinity", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, layers.Select(layer => Weight(layer).Bits()));
        Assert.All(layers, layer => Assert.All(Weight(layer).grad!.Values(), value => Assert.Equal(1, value)));
    }

    [Fact]
    public void Claim_WhereTemperaturesDiffer_LeavesEachWeightToItself()
    {
        var layers = Model("unstructured", ScalarType.Float64, "0.25", null);
        layers[1].Mask.Follow(Temperature.Relative(0.5), null);
        using var model = Batched(layers);
        var expected = Model("unstructured", ScalarType.Float64, "0.25", null);
        expected[1].Mask.Follow(Temperature.Relative(0.5), null);
        using var alone = new MaskedModel(expected, []);
        model.Advance(1, 0);
        alone.Advance(1, 0);

        Assert.Equal(Step(alone).Weights, Step(model).Weights);
    }

    [Fact]
    public void Claim_WhereAnImportanceRanks_LeavesThoseWeightsToThemselves()
    {
        PrunedLayer[] Ranked()
        {
            var layers = Model("unstructured", ScalarType.Float64, "0.25", null);
            foreach (var layer in layers.Take(2))
                layer.Group.Follow(new Taylor());
            return layers;
        }

        using var alone = new MaskedModel(Ranked(), []);
        using var together = Batched(Ranked());
        foreach (var fraction in (double[])[0, 1])
        {
            alone.Advance(fraction, 0);
            together.Advance(fraction, 0);
            var (expected, actual) = (Step(alone), Step(together));
            foreach (var (one, other) in expected.Weights.Zip(actual.Weights).Concat(expected.Gradients.Zip(actual.Gradients)))
                Close.Equal(one, other, Close.Float64, 1e-300);
        }
    }

    [Fact]
    public void Scope_InAStep_LeavesNoTensorBehind()
    {
        using var model = Batched(Model("unstructured", ScalarType.Float64, "0.25", null));
        model.Advance(1, 0);
        Step(model);

        Leaks.None(() => Step(model));
    }

    private static double Tolerance(ScalarType type) => type == ScalarType.Float64 ? Close.Float64 : Close.BFloat16;
}
