using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Weights that stay dense, and the reason that the report gives.</summary>
public sealed class DenseReasonTests
{
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

        Assert.NotEmpty(packed.Report.Layers);
        Assert.All(
            packed.Report.Layers, layer => Assert.Equal("LSTM computes with it in native code, where no hook reaches it", layer.Reason));
    }
}
