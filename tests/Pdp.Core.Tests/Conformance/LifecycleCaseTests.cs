using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Conformance;

/// <summary>Cases P7 and P8: what the mask is before pruning, and after its end.</summary>
public sealed class LifecycleCaseTests
{
    private static readonly PdpOptions Options = new() { Sparsity = 0.75, Epochs = 4, Schedule = new OneShot { Epoch = 1 } };

    public LifecycleCaseTests() => manual_seed(1);

    [Fact]
    public void P7_BeforePruningBegins_TheMaskIsOnesAndTheOutputThatOfTheWeight()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(8, 16);
        using var pruner = new PdpPruner(layer, Options);
        var inputs = randn(4, 8);
        var dense = layer.call(inputs);
        pruner.BeginEpoch(0);

        using var mask = pruner.Mask();

        Assert.Equal(dense.bytes.ToArray(), layer.call(inputs).bytes.ToArray());
        Assert.Equal(1, pruner.Masks[0].Soft(layer.weight!).min().item<float>());
    }

    [Fact]
    public void P8_AfterCommit_TheMaskStaysAsItIsWhileWeightsChange()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(8, 16);
        using var pruner = new PdpPruner(layer, Options);
        pruner.BeginEpoch(1);
        pruner.Commit();
        var zeros = layer.weight!.eq(0);
        using (no_grad())
            layer.weight.copy_(randn(16, 8));

        using var mask = pruner.Mask();

        Assert.Equal(96, TestModels.Zeros(layer.weight));
        Assert.True(layer.weight.eq(0).eq(zeros).all().item<bool>());
    }
}
