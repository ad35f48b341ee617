using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

public sealed class MaskFormTests
{
    private static readonly PdpOptions Soft = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    };

    public MaskFormTests() => manual_seed(1);

    [Theory]
    [InlineData(MaskForm.Soft)]
    [InlineData(MaskForm.Folded)]
    [InlineData(MaskForm.Raw)]
    public void Mask_InAForm_ShowsWhatThatFormSays(MaskForm form)
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(8, 6, hasBias: false, dtype: ScalarType.Float64);
        using var pruner = new PdpPruner(layer, Soft);
        pruner.BeginEpoch(0);
        using var _ = no_grad();
        var weight = layer.weight!.detach().clone();
        var (soft, kept) = (pruner.Masks[0].Soft(weight), pruner.Masks[0].Kept(weight));
        var expected =
            form switch { MaskForm.Soft => soft.mul(weight), MaskForm.Folded => soft.mul(weight).mul(kept), _ => weight.mul(kept) };

        using var mask = pruner.Mask(form);

        Assert.Equal(0, layer.weight.sub(expected).abs().max().item<double>());
        Assert.Equal(form == MaskForm.Soft ? 0 : 24, TestModels.Zeros(layer.weight));
    }

    [Theory]
    [InlineData(MaskForm.Folded)]
    [InlineData(MaskForm.Raw)]
    public void Mask_InHardForms_LetsNoGradientThroughToRemovedWeights(MaskForm form)
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(8, 6, hasBias: false);
        using var pruner = new PdpPruner(layer, Soft);
        pruner.BeginEpoch(0);
        var removed = pruner.Masks[0].Kept(layer.weight!).logical_not();

        using (pruner.Mask(form))
            layer.call(ones(3, 8)).sum().backward();

        Assert.Equal(0, layer.weight!.grad!.masked_select(removed).abs().max().item<float>());
        Assert.Equal(24, TestModels.Zeros(layer.weight.grad!));
    }

    [Fact]
    public void Mask_UnderNoGrad_LeavesWeightsAndGradientsAlone()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Soft);
        TestModels.Train(model, pruner, 0, seed: 1);
        using (pruner.Mask())
            model.call(TestModels.Batch(1).Inputs).sum().backward();
        var (weights, gradients) = (TestModels.Bytes(model), Gradients());

        using (no_grad())
        using (pruner.Mask())
            model.call(TestModels.Batch(2).Inputs);

        Assert.All(gradients, gradient => Assert.Contains(gradient, value => value != 0));
        Assert.Equal(weights, TestModels.Bytes(model));
        Assert.Equal(gradients, Gradients());

        byte[][] Gradients() => [.. model.parameters().Select(parameter => parameter.grad!.bytes.ToArray())];
    }

    [Fact]
    public void Mask_AtSparsityZero_TrainsAsWithoutAPruner()
    {
        using var dense = TestModels.Mlp();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Soft with { Sparsity = 0 });

        for (var step = 0; step < 5; step++)
        {
            TestModels.Train(model, pruner, 0, seed: step);
            using var scope = NewDisposeScope();
            var (inputs, labels) = TestModels.Batch(step);
            functional.cross_entropy(dense.call(inputs), labels).backward();
            TestModels.Step(dense, 0.1);
        }

        Assert.Equal(TestModels.Bytes(dense), TestModels.Bytes(model));
    }

    [Fact]
    public void Mask_OfTiedParameters_MasksThemOnce()
    {
        using var scope = NewDisposeScope();
        using var model = new Tied();
        using var pruner = new PdpPruner(model, Soft);
        var before = TestModels.Bytes(model);
        pruner.BeginEpoch(0);

        using (pruner.Mask())
            model.call(randn(4, 8)).sum().backward();

        Assert.Single(pruner.Masks);
        Assert.Equal(before, TestModels.Bytes(model));
    }

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Mask_InEveryFloatingType_RestoresAndCommitsExactly(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(32, 16, hasBias: false, dtype: type);
        using var pruner = new PdpPruner(layer, Soft with { Sparsity = 0.75 });
        var before = layer.weight!.bytes.ToArray();
        pruner.BeginEpoch(0);

        using (pruner.Mask())
            layer.weight.mul(layer.weight).sum().backward();

        Assert.Equal(before, layer.weight.bytes.ToArray());
        Assert.True(layer.weight.grad!.to_type(ScalarType.Float32).isfinite().all().item<bool>());
        Assert.Equal(384, pruner.Commit().Removed);
        Assert.Equal(384, TestModels.Zeros(layer.weight.to_type(ScalarType.Float32)));
    }

    [Fact]
    public void Mask_WithAnyModuleThatComputesNatively_IsSeenByItsForward()
    {
        using var scope = NewDisposeScope();
        using var model = LSTM(8, 16);
        using var pruner = new PdpPruner(model, Soft with { Allocation = new UniformSparsity() });
        var inputs = randn(5, 2, 8);
        pruner.BeginEpoch(0);
        var (dense, _, _) = model.call(inputs);

        using (pruner.Mask(MaskForm.Raw))
        {
            var (masked, _, _) = model.call(inputs);
            masked.sum().backward();

            Assert.True(masked.sub(dense).abs().max().item<float>() > 1e-3);
        }

        Assert.Equal(["weight_ih_l0", "weight_hh_l0"], pruner.Masks.Select(mask => mask.Name));
        Assert.All(model.named_parameters().Where(pair => pair.parameter.dim() == 2), pair => Assert.Equal(
            pair.parameter.numel() / 2, TestModels.Zeros(pair.parameter.grad!)));
    }

    private sealed class Tied : Module<Tensor, Tensor>
    {
        private readonly Linear _first = Linear(8, 8, hasBias: false);
        private readonly Linear _second;

        public Tied()
            : base(nameof(Tied))
        {
            _second = _first;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => _second.call(_first.call(input).relu());
    }
}
