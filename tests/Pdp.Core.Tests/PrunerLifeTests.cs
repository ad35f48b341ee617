using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests;

public sealed class PrunerLifeTests
{
    public static TheoryData<string> Strategies { get; } = ["unstructured", "2:4", "channel"];

    [Theory]
    [MemberData(nameof(Strategies))]
    public void TwoPruners_OfOneModel_AreAnErrorUntilTheFirstIsDisposed(string strategy)
    {
        using var loop = new TrainingLoop(strategy);
        using var second = new PdpPruner(loop.Model, TrainingLoop.Options);

        var fault = Assert.Throws<InvalidOperationException>(() => second.BeginEpoch(0));
        loop.Pruner.Dispose();
        second.BeginEpoch(0);

        Assert.Contains("Another pruner already prunes 'first.weight'", fault.Message);
        second.Mask().Dispose();
    }

    [Fact]
    public void TwoPruners_OfDifferentLayers_AreNoError()
    {
        using var model = TestModels.Mlp();
        using var first = new PdpPruner(model, TrainingLoop.Options with { Include = ["first"] });
        using var last = new PdpPruner(model, TrainingLoop.Options with { Include = ["last"] });
        first.BeginEpoch(0);
        last.BeginEpoch(0);

        using (first.Mask())
        using (last.Mask())
            model.call(TestModels.Batch(1).Inputs).sum().backward();

        first.Mask().Dispose();
        last.Mask().Dispose();
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Zeros_ThatMoveAfterCommit_ArePutBackOrReported(string strategy)
    {
        using var loop = new TrainingLoop(strategy, useAdam: true);
        loop.Step(0);
        loop.Step(0);
        var zeros = loop.Pruner.Commit().Layers.Sum(layer => layer.Zeros);

        loop.Optimizer.zero_grad();
        loop.Backward(1);
        loop.Optimizer.step();

        var report = loop.Pruner.Report();
        Assert.Contains(report.Warnings, warning => warning.Contains("call Commit() again", StringComparison.Ordinal));
        Assert.True(report.Layers.Sum(layer => layer.Zeros) < zeros);
        loop.Pruner.Mask().Dispose();
        Assert.Equal(zeros, loop.Pruner.Report().Layers.Sum(layer => layer.Zeros));
        Assert.DoesNotContain(loop.Pruner.Report().Warnings, warning => warning.Contains("call Commit() again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(ScalarType.Float32, MaskForm.Soft, "unstructured")]
    [InlineData(ScalarType.Float32, MaskForm.Folded, "unstructured")]
    [InlineData(ScalarType.Float64, MaskForm.Soft, "unstructured")]
    [InlineData(ScalarType.BFloat16, MaskForm.Raw, "2:4")]
    [InlineData(ScalarType.Float32, MaskForm.Soft, "channel")]
    [InlineData(ScalarType.Float64, MaskForm.Folded, "channel")]
    public void FirstScope_InInferenceMode_LeavesTrainingPossible(ScalarType type, MaskForm form, string strategy)
    {
        using var loop = new TrainingLoop(strategy, type: type);
        using (inference_mode())
        {
            using (loop.Pruner.Mask(form))
                loop.Forward(1);
        }

        using (loop.Pruner.Mask(form))
        using (inference_mode())
            loop.Forward(1);

        for (var step = 0; step < 3; step++)
            loop.Step(0);
        loop.Pruner.Mask(form).Dispose();
        loop.Pruner.Commit();
        loop.Step(0.5);
        loop.Pruner.Commit();
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Pruner_OfAModelMadeInInferenceMode_IsRefused(ScalarType type)
    {
        using var mode = inference_mode();
        using var model = nn.Linear(8, 8, dtype: type);

        var error = Assert.Throws<ArgumentException>(() => new PdpPruner(model, new PdpOptions { Epochs = 1, Sparsity = 0.5 }));

        Assert.StartsWith("'weight' was created under inference_mode", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CommitInInferenceMode_LeavesTrainingPossible()
    {
        using var loop = new TrainingLoop("unstructured");
        using (inference_mode())
        {
            loop.Pruner.Mask().Dispose();
            loop.Pruner.Commit();
        }

        loop.Step(0);
        loop.Step(0);
        loop.Pruner.Commit();
    }
}
