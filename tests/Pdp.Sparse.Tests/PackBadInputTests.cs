using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Models that can't be packed as they are, and models that change.</summary>
public sealed class PackBadInputTests
{
    [Fact]
    public void Pack_WhenModelIsInTrainingMode_SaysToCallEval()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        model.train();

        var fault = Assert.Throws<InvalidOperationException>(() => SparseModel.Pack(model, Nets.Picture()));

        Assert.Contains("model.eval()", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_WhenModelHasNoZeros_LeavesItAndSaysSo()
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(Linear(6, 5), ReLU(), Linear(5, 3));
        model.eval();
        var weights = model.parameters().ToArray();

        using var packed = SparseModel.Pack(model, ones(2, 6));

        Assert.Contains("has zeros", Assert.Single(packed.Report.Notes), StringComparison.Ordinal);
        Assert.All(packed.Report.Layers, layer => Assert.Equal((LayerForm.Dense, "no zeros"), (layer.Form, layer.Reason)));
        Assert.All(weights.Zip(model.parameters()), pair => Assert.Same(pair.First, pair.Second));
        Assert.All(weights, weight => Assert.True(weight.requires_grad));
    }

    [Fact]
    public void Pack_WhenWeightsHoldNaN_GivesNaNWhereTheDenseLayerDoes()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var layer = Pruned.Prune(Linear(40, 8), 0.8);
        layer.weight[2, 7] = float.NaN;
        var before = Pruned.Bits(layer);
        var (input, expected) = (ones(3, 40), layer.call(ones(3, 40)));

        using (var packed = SparseModel.Pack(layer, input, Pruned.Everything))
        {
            Assert.Equal(LayerForm.Packed, packed.Report.Layers.Single().Form);
            Assert.Equal(expected.isnan().data<bool>().ToArray(), layer.call(input).isnan().data<bool>().ToArray());
        }

        Assert.Equal(before, Pruned.Bits(layer));
    }

    [Fact]
    public void Pack_WhenExampleHasTheWrongShape_LeavesTheModelAsItWas()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var before = Pruned.Bits(model);

        Assert.Throws<ArgumentException>(() => SparseModel.Pack(model, ones(1, 7, 9, 9), Pruned.Everything));

        Assert.Equal(before, Pruned.Bits(model));
        using var packed = SparseModel.Pack(model, Nets.Picture(), Pruned.Everything);
        Assert.Contains(packed.Report.Layers, layer => layer.Form == LayerForm.Packed);
    }

    [Fact]
    public void Pack_WhenModelFailsHalfway_LeavesTheModelAsItWas()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var (before, calls) = (Pruned.Bits(model), 0);
        var picture = Nets.Picture();

        for (var last = 1; last < 12; last++)
        {
            calls = 0;
            Assert.Throws<TimeoutException>(() => SparseModel.Pack(
                model, () => ++calls == last ? throw new TimeoutException() : model.call(picture), Pruned.Everything));
        }

        Assert.Equal(before, Pruned.Bits(model));
        Assert.True(model.call(picture).requires_grad);
    }

    [Fact]
    public void Pack_WhenModelIsPackedAlready_IsRefusedAndTheFirstStands()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var (picture, before) = (Nets.Picture(), Pruned.Bits(model));
        var expected = model.call(picture);
        using var packed = SparseModel.Pack(model, picture, Pruned.Everything);

        var fault = Assert.Throws<InvalidOperationException>(() => SparseModel.Pack(model, picture, Pruned.Everything));

        Assert.Contains("packed already", fault.Message, StringComparison.Ordinal);
        Assert.True(Pruned.IsClose(model.call(picture), expected));
        packed.Dispose();
        packed.Dispose();
        Assert.Equal(before, Pruned.Bits(model));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Dispose_WhenPartsArePackedOneByOne_WorksInAnyOrder(bool isFirstFirst)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (body, head) = (Sequential(Linear(8, 16), ReLU(), Linear(16, 16)), Linear(16, 4));
        using var model = Pruned.Prune(Sequential(body, head), 0.5);
        var (before, input) = (Pruned.Bits(model), ones(2, 8));
        var expected = model.call(input);
        var first = SparseModel.Pack(body, input, Pruned.Everything);
        var second = SparseModel.Pack(head, ones(2, 16), Pruned.Everything);

        (isFirstFirst ? first : second).Dispose();
        var half = model.call(input);
        (isFirstFirst ? second : first).Dispose();

        Assert.True(Pruned.IsClose(half, expected));
        Assert.Equal(before, Pruned.Bits(model));
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void Dispose_WhenModelIsDisposedAlready_FreesTheWeights()
    {
        using var scope = NewDisposeScope();
        var layer = Pruned.Prune(Linear(8, 4), 0.5);
        var weight = layer.weight;
        var packed = SparseModel.Pack(layer, ones(2, 8), Pruned.Everything);

        layer.Dispose();
        packed.Dispose();

        Assert.True(weight.IsInvalid);
    }

    [Fact]
    public void Pack_WhenTwoParentsShareALayer_PacksItOnce()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var shared = Linear(8, 8);
        using var model = Pruned.Prune(Sequential(Sequential(shared, ReLU()), Sequential(shared)), 0.5);
        var (input, before) = (randn(3, 8), Pruned.Bits(model));
        var expected = model.call(input);

        using (var packed = SparseModel.Pack(model, input, Pruned.Everything))
        {
            Assert.Equal(("0.0.weight", LayerForm.Packed), (packed.Report.Layers.Single().Name, packed.Report.Layers.Single().Form));
            Assert.True(Pruned.IsClose(model.call(input), expected));
        }

        Assert.Equal(before, Pruned.Bits(model));
    }

    [Fact]
    public void Pack_WhenWeightIsTied_LeavesItDenseAndSaysToWhat()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (first, second) = (Linear(8, 8), Linear(8, 8));
        second.weight = first.weight;
        using var model = Pruned.Prune(Sequential(first, ReLU(), second, Linear(8, 8)), 0.5);
        var input = randn(3, 8);
        var expected = model.call(input);

        using var packed = SparseModel.Pack(model, input, Pruned.Everything);

        Assert.Equal("tied to '2.weight', which needs it dense", packed.Report.Layers[0].Reason);
        Assert.Equal([LayerForm.Dense, LayerForm.Packed], packed.Report.Layers.Select(layer => layer.Form));
        Assert.True(Pruned.IsClose(model.call(input), expected));
    }

    [Fact]
    public void Unpack_WhenWeightWasReplaced_KeepsTheNewOne()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var layer = Pruned.Prune(Linear(8, 4), 0.5);
        using var packed = SparseModel.Pack(layer, ones(2, 8), Pruned.Everything);
        var replacement = Parameter(ones(4, 8));

        layer.weight = replacement;
        var fault = Assert.Throws<InvalidOperationException>(() => layer.call(ones(2, 8)));
        packed.Unpack();

        Assert.Contains("replaced or converted", fault.Message, StringComparison.Ordinal);
        Assert.Same(replacement, layer.weight);
        Assert.Same(replacement, layer.parameters().First());
        Assert.Equal(layer.bias!.add(8).data<float>().ToArray(), layer.call(ones(1, 8))[0].data<float>().ToArray());
    }

    [Fact]
    public void Pack_WhenLayerHasHooks_LeavesItDense()
    {
        using var scope = NewDisposeScope();
        using var model = Pruned.Prune(Sequential(Linear(8, 8), Linear(8, 4)), 0.5);
        var seen = 0L;
        ((Linear)model[0]).register_forward_hook((_, input, output) =>
        {
            seen += input.numel();
            return output;
        });

        using var packed = SparseModel.Pack(model, ones(2, 8), Pruned.Everything);
        seen = 0;
        model.call(ones(2, 8));

        Assert.Equal("it has hooks of its own, which would not see its tensors", packed.Report.Layers[0].Reason);
        Assert.Equal(16, seen);
    }

    [Fact]
    public void Pack_WhenLayerRunsByForward_LeavesItDense()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var layer = Pruned.Prune(Linear(8, 4), 0.5);
        using var other = Pruned.Prune(Linear(4, 4), 0.5);
        using var model = Sequential(layer, other);
        model.eval();
        var input = randn(2, 8);
        var expected = other.call(layer.forward(input));

        using var packed = SparseModel.Pack(model, () => other.call(layer.forward(input)), Pruned.Everything);

        Assert.Contains("forward() instead of call()", packed.Report.Layers[0].Reason, StringComparison.Ordinal);
        Assert.True(Pruned.IsClose(other.call(layer.forward(input)), expected));
    }

    [Fact]
    public void Pack_WhenNativeCodeHasTheWeights_SaysSo()
    {
        using var scope = NewDisposeScope();
        using var model = Pruned.Prune(LSTM(6, 5), 0.5);

        using var packed = SparseModel.Pack(model, () => model.call(ones(3, 2, 6)).Item1);

        Assert.All(
            packed.Report.Layers, layer => Assert.Equal("LSTM computes with it in native code, where no hook reaches it", layer.Reason));
    }

    [Fact]
    public void Pack_WhenMatchFitsNothing_ListsTheCandidates()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();

        var fault = Assert.Throws<ArgumentException>(() => SparseModel.Pack(model, Nets.Picture(), new() { Exclude = ["conv9"] }));

        Assert.Contains("No weight matches 'conv9'. The candidates are 0.weight, 3.weight", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_WhenIncludedWeightCannotBePacked_SaysWhy()
    {
        using var scope = NewDisposeScope();
        using var model = Pruned.Prune(Conv2d(8, 8, 3, groups: 8), 0.5);

        var fault = Assert.Throws<ArgumentException>(() => SparseModel.Pack(model, ones(1, 8, 5, 5), Pruned.Everything));

        Assert.Contains("8 groups", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_WhenModelIsRandom_LeavesItAndSaysSo()
    {
        using var scope = NewDisposeScope();
        using var model = Pruned.Prune(Linear(8, 4), 0.5);

        using var packed = SparseModel.Pack(model, () => model.call(randn(2, 8)), Pruned.Everything);

        Assert.Contains("varies from call to call", Assert.Single(packed.Report.Notes), StringComparison.Ordinal);
        Assert.Equal(LayerForm.Dense, packed.Report.Layers.Single().Form);
    }
}
