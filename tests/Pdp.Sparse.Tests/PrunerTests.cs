using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Packs models that a pruner is attached to.</summary>
public sealed class PrunerTests
{
    [Fact]
    public void Pack_WhenAMaskScopeIsOpen_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var model = Linear(16, 8);
        using var pruner = Committed(model);
        using var mask = pruner.Mask();
        model.eval();

        var fault = Assert.Throws<InvalidOperationException>(() => SparseModel.Pack(model, ones(2, 16), Pruned.Everything));

        Assert.Contains("mask scope is open", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mask_WhenModelIsPacked_IsRefusedUntilItIsUnpacked()
    {
        using var scope = NewDisposeScope();
        using var model = Linear(16, 8);
        using var pruner = Committed(model);
        var before = Pruned.Bits(model);
        var packed = SparseModel.Pack(model, ones(2, 16), Pruned.Everything);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Mask().Dispose());
        Assert.Throws<InvalidOperationException>(() => pruner.Report());
        packed.Dispose();
        pruner.Mask().Dispose();

        Assert.Contains("SparseModel.Unpack()", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Pruned.Bits(model));
        Assert.Equal(64, pruner.Report().Removed);
    }

    private static PdpPruner Committed(Module model)
    {
        var pruner = new PdpPruner(model, new() { Epochs = 1, Sparsity = 0.5, Schedule = new OneShot { Epoch = 0 } });
        pruner.BeginEpoch(0);
        pruner.Mask().Dispose();
        pruner.Commit();
        model.eval();
        return pruner;
    }
}
