using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>The pruner's loop with the optimizers of this package: its watch for misuse sees their steps, and the clipping.</summary>
public sealed class LoopTests
{
    [Theory]
    [InlineData("sgd")]
    [InlineData("adamw")]
    public void Loop_WithAPruner_CommitsExactly(string kind)
    {
        manual_seed(1);
        using var model = Sequential(Linear(8, 16), ReLU(), Linear(16, 4));
        using FusedOptimizer optimizer = kind == "sgd"
            ? new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0.05, Momentum = 0.9 })
            : new FusedAdamW(model.named_parameters(), new AdamOptions { LearningRate = 0.01 });
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.75, Epochs = 4 });

        for (var epoch = 0; epoch < 4; epoch++)
        {
            for (var step = 0; step < 30; step++)
            {
                using var batch = NewDisposeScope();
                pruner.BeginEpoch(epoch, step, 30);
                optimizer.zero_grad();
                using (pruner.Mask())
                    functional.mse_loss(model.call(randn(5, 8)), randn(5, 4)).backward();
                using var norm = GradientClipping.ByNorm(model.named_parameters(), 0.5);
                optimizer.step();
            }
        }

        var report = pruner.Commit();

        Assert.Equal(0.75 * ((8 * 16) + (16 * 4)), report.Layers.Sum(layer => layer.Zeros));
    }

    [Fact]
    public void Clipping_InsideTheScope_IsSeenByThePruner()
    {
        manual_seed(1);
        using var model = Sequential(Linear(8, 16), ReLU(), Linear(16, 4));
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.75, Epochs = 4, Schedule = new ConstantSparsity() });
        using var batch = NewDisposeScope();
        pruner.BeginEpoch(0);

        using (pruner.Mask())
        {
            functional.mse_loss(model.call(randn(5, 8)), randn(5, 4)).backward();
            GradientClipping.ByNorm(model.named_parameters(), 0.01);
        }

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Mask());
        Assert.Contains("clip and scale gradients after the scope", fault.Message, StringComparison.Ordinal);
    }
}
