namespace Pdp.Tests.Watching;

public sealed class ClockMisuseTests
{
    private static readonly PdpOptions Options = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    };

    private static PdpOptions Waiting(int reports) =>
        Options with { Schedule = new CubicRamp(0, 1), AutomaticStart = new() { Level = 0.5, Epochs = reports } };

    [Fact]
    public void Mask_BeforeBeginEpoch_SaysToCallItFirst()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Mask());

        Assert.Contains("call BeginEpoch(epoch, step, steps) before Mask()", fault.Message);
    }

    [Fact]
    public void BeginEpoch_AfterAWholeEpochWithoutAScope_SaysThatNothingWasPruned()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(1));

        Assert.Contains("Epoch 0 passed without a mask scope", fault.Message);
    }

    [Fact]
    public void BeginEpoch_InFractionsWithoutAScope_FailsOnceAWholeEpochWentBy()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);
        pruner.BeginEpoch(0.5);

        Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(1));
    }

    [Fact]
    public void BeginEpoch_WithoutAScopeFromWithinAnEpochOn_SaysSinceWhen()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { Schedule = new OneShot { Epoch = 0.25 } });
        pruner.BeginEpoch(0);
        pruner.BeginEpoch(0.25);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(1.25));

        Assert.Contains("The time since epoch 0.25 passed without a mask scope", fault.Message);
    }

    [Fact]
    public void BeginEpoch_InTheDenseEpochs_NeedsNoScope()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { Schedule = new OneShot { Epoch = 2 } });

        pruner.BeginEpoch(0);
        pruner.BeginEpoch(1);

        Assert.Equal(0, pruner.Sparsity);
    }

    [Fact]
    public void BeginEpoch_BeforeTheLastOne_SaysToRestore()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0.5);

        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => pruner.BeginEpoch(0));

        Assert.Contains("Restore(state)", fault.Message);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    public void BeginEpoch_WithAnImpossibleEpoch_NamesTheRange(double epoch)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);

        Assert.Contains("[0, 2^31)", Assert.Throws<ArgumentOutOfRangeException>(() => pruner.BeginEpoch(epoch)).Message);
    }

    [Fact]
    public void BeginEpoch_FirstCalledPastTheStart_AsksForTheState()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { Schedule = new CubicRamp(1, 3) });

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(2));

        Assert.Contains("call Restore(state) first", fault.Message);
    }

    [Theory]
    [InlineData(2, 2.5)] // after two reports
    [InlineData(5, 3.5)] // at the latest
    public void BeginEpoch_FirstCalledWhereAnAutomaticStartMayHaveBegun_AsksForTheState(int reports, double epoch)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Waiting(reports));

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(epoch));

        Assert.Contains($"pruning may begin at {Math.Floor(epoch)}: to resume, call Restore(state) first", fault.Message);
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(5, 3)]
    public void BeginEpoch_FirstCalledWhereAnAutomaticStartBeginsAtTheEarliest_Begins(int reports, double epoch)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Waiting(reports));

        pruner.BeginEpoch(epoch);

        Assert.Equal(epoch == 3 ? 3 : (double?)null, pruner.GetState().StartedAt);
    }

    [Fact]
    public void Commit_BeforeTheScheduleHasEnded_SaysHowFarItIs()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { Schedule = new LinearRamp(0, 4) });
        pruner.BeginEpoch(0);
        TestModels.Train(model, pruner, 1, seed: 0);
        var before = TestModels.Bytes(model);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Commit());

        Assert.Contains("at 25 % of the schedule, which ends at 4", fault.Message);
        Assert.Equal(before, TestModels.Bytes(model));
    }

    [Fact]
    public void ReportMetric_WithoutAnAutomaticStart_SaysThatNothingWaits()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);

        Assert.Contains("AutomaticStart", Assert.Throws<InvalidOperationException>(() => pruner.ReportMetric(0.5)).Message);
    }
}
