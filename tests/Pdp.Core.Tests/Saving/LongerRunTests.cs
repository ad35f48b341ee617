using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Saving;

/// <summary>A run that is resumed to be longer goes on as it was; the epochs that are added come at its end.</summary>
public sealed class LongerRunTests
{
    private static readonly PdpOptions Options = new() { Sparsity = 0.9, Epochs = 8 };

    /// <summary>In the ramp, behind it, and at the end; stretched to 32 epochs the ramp would begin at 4.</summary>
    [Theory]
    [InlineData(1.25)]
    [InlineData(3)]
    [InlineData(8)]
    public void Restore_IntoALongerRun_NeverLetsTheSparsityFall(double epoch)
    {
        using var model = TestModels.Cnn();
        using var saved = Begun(model, Options, epoch);
        using var longer = new PdpPruner(model, Options with { Epochs = 32 });

        longer.Restore(PrunerState.FromJson(saved.GetState().ToJson()), allowLongerRun: true);

        Assert.True(saved.Sparsity > 0);
        Assert.Equal((saved.Sparsity, saved.Masks[0].TemperatureValue, saved.Schedule), (
            longer.Sparsity, longer.Masks[0].TemperatureValue, longer.Schedule));
        saved.Dispose();
        for (var next = epoch; next <= 32; next += 0.25)
        {
            var (sparsity, temperature) = (longer.Sparsity, longer.Masks[0].TemperatureValue);
            longer.BeginEpoch(next);
            longer.Mask().Dispose();
            Assert.True(longer.Sparsity >= sparsity && longer.Masks[0].TemperatureValue <= temperature);
        }

        Assert.Equal(longer.Masks.Sum(mask => mask.TargetWeights), longer.Commit().Removed);
    }

    [Fact]
    public void Restore_OfALongerRun_StillKnowsHowItBegan()
    {
        using var model = TestModels.Cnn();
        using var first = Begun(model, Options, 3);
        using var second = new PdpPruner(model, Options with { Epochs = 16 });
        second.Restore(first.GetState(), allowLongerRun: true);
        using var resumed = new PdpPruner(model, Options with { Epochs = 16 });
        using var third = new PdpPruner(model, Options with { Epochs = 24 });

        resumed.Restore(second.GetState());
        third.Restore(resumed.GetState(), allowLongerRun: true);

        Assert.Equal((24, 8), (third.GetState().Epochs, third.GetState().ScheduledEpochs));
        Assert.Equal(new CubicRamp(1, 4), third.Schedule);
    }

    /// <summary>The default allocation is that of the run as it began, whether pruning has begun or not.</summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(1.25)]
    public void Restore_IntoALongRun_DividesTheSparsityAsTheShortOneDid(double epoch)
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(("large", Linear(30, 100, hasBias: false)), ("small", Linear(100, 10, hasBias: false)));
        Tensors.Fill(model.parameters().First(), Tensors.Normal(1, 3000));
        Tensors.Fill(model.parameters().Last(), Tensors.Normal(2, 1000, scale: 1e-4));
        var options = Options with { Sparsity = 0.95 };
        long[] byMagnitude = [2810, 990];
        using var saved = Begun(model, options, epoch);
        var state = saved.GetState();
        saved.Dispose();
        using var longer = new PdpPruner(model, options with { Epochs = 16 });
        Assert.NotEqual(byMagnitude, longer.Plan().Layers.Select(layer => layer.Removed));

        longer.Restore(state, allowLongerRun: true);

        Assert.Equal(byMagnitude, longer.Plan().Layers.Select(layer => layer.Removed));
        longer.BeginEpoch(2);
        Assert.Equal(byMagnitude, longer.Masks.Select(mask => mask.TargetWeights));
        var resumed = longer.GetState();
        longer.Dispose();
        using var again = new PdpPruner(model, options with { Epochs = 16 });
        again.Restore(resumed);
        Assert.Equal(byMagnitude, again.Masks.Select(mask => mask.TargetWeights));
    }

    [Fact]
    public void Restore_OfALongerRunIntoAShorter_IsRefusedInAnyCase()
    {
        using var model = TestModels.Cnn();
        using var saved = Begun(model, Options, 3);
        using var shorter = new PdpPruner(model, Options with { Epochs = 6 });

        Assert.Throws<ArgumentException>(() => shorter.Restore(saved.GetState(), allowLongerRun: true));
    }

    [Fact]
    public void Restore_OfAShorterRunsState_GivesTheLongerRunsSchedulesUp()
    {
        using var model = TestModels.Cnn();
        using var saved = Begun(model, Options, 3);
        var state = saved.GetState();
        saved.Dispose();
        using var longer = new PdpPruner(model, Options with { Epochs = 16 });
        using var begun = Begun(model, Options with { Epochs = 16 }, 1);
        longer.Restore(state, allowLongerRun: true);

        longer.Restore(begun.GetState());

        Assert.Equal(new CubicRamp(4, 0.6 * 16), longer.Schedule);
        Assert.Equal(12, longer.Masks[0].Temperature.HardEpoch);
    }

    [Fact]
    public void Restore_WithAnAutomaticStart_KeepsTheStartOfTheRunAsItBegan()
    {
        var options = Options with { AutomaticStart = new() { Level = 0.5, Epochs = 1 } };
        using var model = TestModels.Cnn();
        using var saved = new PdpPruner(model, options);
        saved.BeginEpoch(0);
        saved.ReportMetric(1);
        saved.BeginEpoch(1);
        saved.Mask().Dispose();
        saved.BeginEpoch(1.5);
        using var longer = new PdpPruner(model, options with { Epochs = 16 });

        longer.Restore(saved.GetState(), allowLongerRun: true);

        Assert.True(saved.Sparsity > 0);
        Assert.Equal(saved.Sparsity, longer.Sparsity);
    }

    private static PdpPruner Begun(Module model, PdpOptions options, double epoch)
    {
        var pruner = new PdpPruner(model, options);
        pruner.BeginEpoch(0);
        pruner.BeginEpoch(Math.Min(1, epoch));
        pruner.Mask().Dispose();
        pruner.BeginEpoch(epoch);
        return pruner;
    }
}
