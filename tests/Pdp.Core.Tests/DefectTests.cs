using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests;

/// <summary>Defects of an earlier implementation that concern the pruner as a whole.</summary>
public sealed class DefectTests
{
    private static readonly PdpOptions Options = new() { Sparsity = 0.5, Epochs = 4, Schedule = new LinearRamp(0, 2) };

    [Fact]
    public void DefectE_TheMaskIsNotRecomputedOutsideTheScope()
    {
        using var scope = NewDisposeScope();
        using var model = TestModels.Mlp();
        var strategy = new PlainStrategy("counting");
        using var pruner = new PdpPruner(model, Options with { Strategy = strategy });
        TestModels.Train(model, pruner, 0, 0);
        TestModels.Train(model, pruner, 1, 1);
        var before = strategy.Magnitudes;

        model.call(TestModels.Batch(1).Inputs).sum().backward();

        Assert.Equal(before, strategy.Magnitudes);
        Assert.Equal(0, Hooks.In(model));
        pruner.Mask().Dispose();
        Assert.True(strategy.Magnitudes > before);
    }

    [Fact]
    public void DefectE_NothingIsKeptPerStep()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        TestModels.Train(model, pruner, 0, 0);
        TestModels.Train(model, pruner, 1, 1);
        Leaks.ForgetGarbage();
        var before = Tensor.TotalCount;

        using (var scope = NewDisposeScope())
        using (no_grad())
            model.call(TestModels.Batch(1).Inputs);
        for (var step = 0; step < 10; step++)
            TestModels.Train(model, pruner, 1, step);

        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void DefectH_TheStageIsPartOfTheState_AndSparsityIsTheFractionRemoved()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { Sparsity = 0.75 });
        TestModels.Train(model, pruner, 0, 0);
        pruner.BeginEpoch(2);

        var state = pruner.GetState();

        Assert.Equal((2.0, false), (state.Epoch!.Value, state.IsCommitted));
        Assert.Equal(1248, state.Targets!.Values.Sum());
        Assert.Equal(0.75, pruner.Sparsity);
    }
}
