using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Models that are packed twice, in parts, and unpacked in any order.</summary>
public sealed class UnpackTests
{
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
    public void Dispose_AfterUnpack_LeavesAloneWhatWasFrozenSince()
    {
        using var scope = NewDisposeScope();
        using var layer = Pruned.Prune(Linear(8, 4), 0.5);
        using (var packed = SparseModel.Pack(layer, ones(2, 8), Pruned.Everything))
        {
            packed.Unpack();
            layer.weight.requires_grad = false;
        }

        Assert.False(layer.weight.requires_grad);
        Assert.True(layer.bias!.requires_grad);
    }

    [Fact]
    public void Dispose_AfterOneLayerCouldNotBeUnpacked_LeavesThoseBeforeItAlone()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (first, second) = (Linear(8, 16), Linear(16, 4));
        using var model = Pruned.Prune(Sequential(first, second), 0.5);
        var (weight, lost, input) = (first.weight, second.weight, ones(2, 8));
        var (bits, expected) = (Pruned.Bits(first), first.call(input));
        var packed = SparseModel.Pack(model, input, Pruned.Everything);
        lost.Dispose();

        Assert.ThrowsAny<Exception>(packed.Unpack);
        Assert.ThrowsAny<Exception>(packed.Dispose);

        Assert.Same(weight, first.weight);
        Assert.False(weight.IsInvalid);
        Assert.Equal(bits, Pruned.Bits(first));
        Assert.True(Pruned.IsClose(first.call(input), expected));
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
}
