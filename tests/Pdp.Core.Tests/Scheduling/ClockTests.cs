using static TorchSharp.torch.nn;

namespace Pdp.Tests.Scheduling;

/// <summary>The run's clock: ramps that end with the run, the automatic start, and steps that are too large for a ramp.</summary>
public sealed class ClockTests
{
    private const int Steps = 10;

    public static TheoryData<string> LateSchedules { get; } = ["linear", "cubic", "one-shot", "epsilon"];

    [Theory]
    [MemberData(nameof(LateSchedules))]
    public void Commit_AfterTheLastWholeEpoch_FindsTheScheduleEnded(string schedule)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options(schedule));

        for (var epoch = 0; epoch < 10; epoch++)
            Step(pruner, epoch);

        Assert.Equal(0.5, pruner.Commit().Sparsity);
    }

    [Theory]
    [MemberData(nameof(LateSchedules))]
    public void Commit_AfterTheLastStep_FindsTheScheduleEnded_AndNotBefore(string schedule)
    {
        using var model = TestModels.Mlp();
        using var byStep = new PdpPruner(model, Options(schedule));
        foreach (var (epoch, step) in AllSteps().SkipLast(1))
            Step(byStep, epoch, step, Steps);

        Assert.Throws<InvalidOperationException>(() => byStep.Commit());
        Step(byStep, 9, Steps - 1, Steps);

        Assert.Equal(0.5, byStep.Commit().Sparsity);
    }

    [Theory]
    [MemberData(nameof(LateSchedules))]
    public void Commit_AfterTheLastFractionalEpoch_FindsTheScheduleEnded(string schedule)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options(schedule));
        foreach (var (epoch, step) in AllSteps())
            Step(pruner, epoch + (step / (double)Steps));

        Assert.Equal(0.5, pruner.Commit().Sparsity);
    }

    [Theory]
    [InlineData(1, "one call")]
    [InlineData(0.5, "one call")]
    [InlineData(2, "coarse, then fine")]
    public void Sparsity_WhateverThePaceOfTheClock_NeverFallsAndIsCommitted(double epochs, string pace)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(
            model, new PdpOptions { Epochs = epochs, Sparsity = 0.9, Schedule = new LinearRamp(epochs / 2, epochs) });
        var sparsities = new List<double>();
        for (var step = 0; step <= 10; step++)
        {
            if (pace == "one call" && step > 0)
                break;
            Step(pruner, pace == "one call" || step == 0 ? 0 : 1 + ((step - 1) / 10.0));
            sparsities.Add(pruner.Sparsity);
        }

        Assert.Equal(sparsities.Order(), sparsities);
        Assert.True(sparsities[^1] < 0.9);
        var report = pruner.Commit();
        Assert.Equal(0.9, report.Sparsity, 0.001);
        if (pace == "one call")
            Assert.Contains(report.Warnings, warning => warning.Contains(
                "The sparsity rose from 0.00% to 90.02% in one step of the clock, at epoch 0: call BeginEpoch(epoch, step, steps)",
                StringComparison.Ordinal));
    }

    [Fact]
    public void Report_OfASingleShotUnderAnAutomaticStart_DoesNotAskForARamp()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = 10,
            Sparsity = 0.9,
            Schedule = new OneShot { Epoch = 1 },
            AutomaticStart = new AutomaticStart { Level = 0.5, Epochs = 1 },
        });
        for (var epoch = 0; epoch < 4; epoch++)
        {
            Step(pruner, epoch);
            pruner.ReportMetric(epoch < 2 ? 0 : 1);
        }

        Assert.Equal(0.9, pruner.Sparsity, 0.001);
        Assert.DoesNotContain(pruner.Report().Warnings, warning => warning.Contains("rose from", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Commit_AfterPruningCouldNotBegin_FailsAsBefore(bool beginsAtCommit)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = 1,
            Sparsity = 0.9,
            Importance = new Taylor(),
            Schedule = beginsAtCommit ? new LinearRamp(0.5, 1) : new ConstantSparsity(),
        });
        if (beginsAtCommit)
            pruner.BeginEpoch(0);
        var before = beginsAtCommit ? pruner.GetState().ToJson() : null;

        for (var i = 0; i < 2; i++)
        {
            var error = Assert.Throws<InvalidOperationException>(() =>
            {
                if (!beginsAtCommit)
                    pruner.BeginEpoch(0);
                pruner.Commit();
            });
            Assert.Contains("taylor has seen no gradient", error.Message, StringComparison.Ordinal);
        }

        Assert.False(pruner.IsCommitted);
        if (beginsAtCommit)
            Assert.Equal(before, pruner.GetState().ToJson());
        else
            Assert.Throws<InvalidOperationException>(() => pruner.Commit());
    }

    [Fact]
    public void Restore_InTheLastStepOfTheRun_CanCommit()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options("linear"));
        foreach (var (epoch, step) in AllSteps())
            Step(pruner, epoch, step, Steps);
        var state = pruner.GetState();
        pruner.Dispose();
        using var resumed = new PdpPruner(model, Options("linear"));

        resumed.Restore(PrunerState.FromJson(state.ToJson()));

        Assert.Equal(0.5, resumed.Commit().Sparsity);
    }

    [Fact]
    public void Schedule_ThatNeverReachesItsTarget_IsRefused()
    {
        using var model = TestModels.Mlp();

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options("linear") with { Schedule = new TooShort() }));

        Assert.Contains("never reaches its target", fault.Message);
        Assert.Contains("90 %", fault.Message);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(40)]
    [InlineData(60)]
    [InlineData(98)]
    public void AutomaticStart_HoweverLate_EndsRampAndAnnealingWithTheRun(int? startsAt)
    {
        using var model = Linear(16, 4);
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = 100,
            Sparsity = 0.5,
            AutomaticStart = new AutomaticStart { Level = 0.5, Epochs = 1 },
        });
        foreach (var (epoch, step) in AllSteps(100))
        {
            Step(pruner, epoch, step, Steps);
            if (step == Steps - 1 && epoch + 1 == startsAt)
                pruner.ReportMetric(0.6);
        }

        var report = pruner.Commit();

        Assert.Equal(0.5, report.Sparsity);
        Assert.Equal(1e-18, pruner.Masks[0].TemperatureValue);
        Assert.Equal(startsAt is null or 98, report.Warnings.Any(
            warning => warning.Contains("the latest from which the schedule can finish", StringComparison.Ordinal)));
    }

    [Fact]
    public void ForcedStart_AfterARestore_IsStillReported()
    {
        using var model = Linear(16, 4);
        var options = new PdpOptions { Epochs = 4, Sparsity = 0.5, AutomaticStart = new AutomaticStart { Level = 0.5 } };
        using var pruner = new PdpPruner(model, options);
        for (var epoch = 0; epoch < 4; epoch++)
            Step(pruner, epoch);
        var state = pruner.GetState();
        pruner.Dispose();
        using var resumed = new PdpPruner(model, options);

        resumed.Restore(PrunerState.FromJson(state.ToJson()));

        Assert.Contains("The reported metric was not above 0.5 for 5 reports in a row", resumed.Report().Warnings[0]);
    }

    [Fact]
    public void BeginEpoch_WithStepsOutOfRange_NamesTheRange()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Epochs = 8, Sparsity = 0.9 });

        Assert.Throws<ArgumentOutOfRangeException>("epoch", () => pruner.BeginEpoch(-1, 0, 10));
        Assert.Throws<ArgumentOutOfRangeException>("steps", () => pruner.BeginEpoch(0, 0, 0));
        Assert.Contains("[0, 10)", Assert.Throws<ArgumentOutOfRangeException>("step", () => pruner.BeginEpoch(0, 10, 10)).Message);
        Assert.Throws<ArgumentOutOfRangeException>("step", () => pruner.BeginEpoch(0, -1, 10));
        Assert.Null(pruner.Epoch);
    }

    private static IEnumerable<(int Epoch, int Step)> AllSteps(int epochs = 10) =>
        Enumerable.Range(0, epochs).SelectMany(epoch => Enumerable.Range(0, Steps).Select(step => (epoch, step)));

    /// <summary>A step without training.</summary>
    private static void Step(PdpPruner pruner, int epoch, int step, int steps)
    {
        pruner.BeginEpoch(epoch, step, steps);
        pruner.Mask().Dispose();
    }

    private static void Step(PdpPruner pruner, double epoch)
    {
        pruner.BeginEpoch(epoch);
        pruner.Mask().Dispose();
    }

    private static PdpOptions Options(string schedule) => new()
    {
        Epochs = 10,
        Sparsity = 0.5,
        Schedule = schedule switch
        {
            "linear" => new LinearRamp(1, 10),
            "cubic" => new CubicRamp(2, 9.95),
            "one-shot" => new OneShot { Epoch = 10 },
            _ => new EpsilonRamp { WarmupEpochs = 0, Epsilon = 0.1 },
        },
    };

    private sealed record TooShort : ISparsityScheduler
    {
        public double StartEpoch => 0;

        public double EndEpoch => 5;

        public double Fraction(double epoch) => 0.9;
    }
}
