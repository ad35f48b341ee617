using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

public sealed class MaskScopeTests
{
    private static readonly PdpOptions Soft = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    };

    public MaskScopeTests() => manual_seed(1);

    [Fact]
    public void Dispose_AfterForwardAndBackward_RestoresTheWeightsBitForBit()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Soft);
        var before = TestModels.Bytes(model);
        var (inputs, labels) = TestModels.Batch(1);
        pruner.BeginEpoch(0);

        using (pruner.Mask())
        {
            Assert.NotEqual(before, TestModels.Bytes(model));
            functional.cross_entropy(model.call(inputs), labels).backward();
        }

        Assert.Equal(before, TestModels.Bytes(model));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Dispose_WhenAWeightsMemoryWasWrittenTo_SaysSoInTheNextCall(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var model = Linear(8, 4, hasBias: false, dtype: type);
        using var pruner = new PdpPruner(model, Soft);
        pruner.BeginEpoch(0);

        // Autograd doesn't count that.
        using (pruner.Mask())
            model.weight!.bytes[..16].Fill(1);

        Assert.Contains("changed inside", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dispose_ThroughTheInterface_RestoresTheWeights()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Soft);
        var before = TestModels.Bytes(model);
        pruner.BeginEpoch(0);

        Close(pruner.Mask());

        Assert.Equal(before, TestModels.Bytes(model));

        // As F# closes it: by the interface, not by the name of the method.
        static void Close<TScope>(TScope scope)
            where TScope : IDisposable, allows ref struct => scope.Dispose();
    }

    [Fact]
    public void Dispose_AfterBackward_LeavesTheGradientThatAutogradGivesThroughTheMask()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(8, 6, hasBias: false, dtype: ScalarType.Float64);
        using var pruner = new PdpPruner(layer, Soft);
        var inputs = randn([5, 8], dtype: ScalarType.Float64);
        pruner.BeginEpoch(0);
        var weight = layer.weight!.detach().clone().requires_grad_();
        functional.linear(inputs, pruner.Masks[0].Apply(weight)).tanh().sum().backward();

        using (pruner.Mask())
            layer.call(inputs).tanh().sum().backward();

        var soft = pruner.Masks[0].Soft(weight);
        Assert.True(soft.mul(soft.neg().add(1)).max().item<double>() > 0.2, "the masks are not saturated");
        Assert.True(layer.weight.grad!.sub(weight.grad!).abs().max().item<double>() < 1e-12);
    }

    [Fact]
    public void Dispose_WithMicroBatches_AddsTheirGradientsUp()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(8, 6, hasBias: false, dtype: ScalarType.Float64);
        using var pruner = new PdpPruner(layer, Soft);
        var (first, second) = (randn([5, 8], dtype: ScalarType.Float64), randn([5, 8], dtype: ScalarType.Float64));
        pruner.BeginEpoch(0);
        using (pruner.Mask())
            layer.call(cat([first, second])).sum().backward();
        var together = layer.weight!.grad!.clone();
        layer.zero_grad();

        using (pruner.Mask())
            layer.call(first).sum().backward();
        using (pruner.Mask())
            layer.call(second).sum().backward();

        Assert.True(layer.weight.grad!.sub(together).abs().max().item<double>() < 1e-12);
    }

    [Fact]
    public void Dispose_WithTwoBackwardPassesInOneScope_CorrectsTheirSumOnce()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(8, 6, hasBias: false, dtype: ScalarType.Float64);
        using var pruner = new PdpPruner(layer, Soft);
        var inputs = randn([5, 8], dtype: ScalarType.Float64);
        pruner.BeginEpoch(0);
        using (pruner.Mask())
            layer.call(inputs).sum().backward();
        var once = layer.weight!.grad!.clone();
        layer.zero_grad();

        using (pruner.Mask())
        {
            layer.call(inputs).sum().backward();
            layer.call(inputs).sum().backward();
        }

        Assert.True(layer.weight.grad!.sub(once).sub(once).abs().max().item<double>() < 1e-12);
    }

    [Fact]
    public void Dispose_AfterAnException_RestoresTheWeightsAndLetsItTravelOn()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Soft);
        var before = TestModels.Bytes(model);
        pruner.BeginEpoch(0);

        void FailInside()
        {
            using (pruner.Mask())
                throw new TimeoutException();
        }

        Assert.Throws<TimeoutException>(FailInside);

        Assert.Equal(before, TestModels.Bytes(model));
        pruner.Mask().Dispose();
    }

    [Fact]
    public void Dispose_CalledTwice_DoesNothingTheSecondTime()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Soft);
        pruner.BeginEpoch(0);
        var first = pruner.Mask();
        first.Dispose();
        using var second = pruner.Mask();
        var masked = TestModels.Bytes(model);

        first.Dispose();

        Assert.Equal(masked, TestModels.Bytes(model));
    }

    [Fact]
    public void Dispose_OfThePruner_ClosesAnOpenScope()
    {
        using var model = TestModels.Mlp();
        var pruner = new PdpPruner(model, Soft);
        var before = TestModels.Bytes(model);
        pruner.BeginEpoch(0);
        _ = pruner.Mask();

        pruner.Dispose();

        Assert.Equal(before, TestModels.Bytes(model));
        Assert.Throws<ObjectDisposedException>(() => pruner.Mask());
    }
}
