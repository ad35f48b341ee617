using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Schedules;

public sealed class LearningRateScheduleTests
{
    private static readonly CosineSchedule Cosine = new(14) { WarmupSteps = 4 };

    [Theory]
    [InlineData(0, 0.2)]
    [InlineData(3, 0.8)]
    [InlineData(4, 1)]
    [InlineData(9, 0.5)]
    [InlineData(14, 0)]
    public void Factor_OfACosine_RisesLinearlyThenFalls(long step, double expected) => Assert.Equal(expected, Cosine.Factor(step), 1e-15);

    [Theory]
    [InlineData(0, 0.2)]
    [InlineData(4, 1)]
    [InlineData(9, 0.55)]
    [InlineData(13, 0.19)]
    [InlineData(14, 0.1)]
    public void Factor_OfALineWithAFinalFactor_EndsThere(long step, double expected) =>
        Assert.Equal(expected, new LinearSchedule(14) { WarmupSteps = 4, FinalFactor = 0.1 }.Factor(step), 1e-15);

    [Fact]
    public void Factor_OfACosine_AgreesWithTorchSharpsScheduler()
    {
        using var weight = new Parameter(ones(1));
        using var optimizer = optim.SGD([weight], 1);
        var stock = optim.lr_scheduler.CosineAnnealingLR(optimizer, 10, 0.25);

        for (var step = 0; step <= 10; step++)
        {
            Assert.Equal(optimizer.ParamGroups.Single().LearningRate, new CosineSchedule(10) { FinalFactor = 0.25 }.Factor(step), 1e-12);
            stock.step();
        }
    }

    [Fact]
    public void Factor_WithAFinalFactorOfOne_StaysConstantAfterTheWarmup()
    {
        var constant = new LinearSchedule(8) { WarmupSteps = 3, FinalFactor = 1 };

        Assert.Equal([0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1], Enumerable.Range(0, 9).Select(step => constant.Factor(step)));
    }

    [Fact]
    public void Factor_WhenTheWarmupIsTheWholeRun_NeverFalls()
    {
        var rising = new CosineSchedule(2.5) { WarmupSteps = 2.5 };

        Assert.Equal([1 / 3.5, 2 / 3.5, 3 / 3.5], Enumerable.Range(0, 3).Select(step => rising.Factor(step)));
    }

    [Theory]
    [InlineData(3, 3, 0, 0.25)]
    [InlineData(3, 3, 2, 0.75)]
    [InlineData(3, 3, 3, 0.1)]
    [InlineData(1, 0, 0, 1)]
    [InlineData(1, 0, 1, 0.1)]
    [InlineData(1, 1, 0, 0.5)]
    [InlineData(0.5, 0, 0, 1)]
    [InlineData(5e-324, 0, 0, 1)]
    [InlineData(1e18, 1e18, 0, 1e-18)]
    [InlineData(4, 3.999, 3, 4 / 4.999)]
    public void Factor_AtTheBoundaries_IsWhatIsDocumented(double steps, double warmup, long step, double expected)
    {
        LearningRateSchedule[] schedules =
            [new CosineSchedule(steps)
            {
                WarmupSteps = warmup,
                FinalFactor = 0.1,
            }, new LinearSchedule(steps) { WarmupSteps = warmup, FinalFactor = 0.1 }];

        Assert.All(schedules, schedule => Assert.Equal(1, schedule.Factor(step) / expected, 1e-15));
    }

    [Fact]
    public void Apply_OnAnOptimizerOfThisPackage_KeepsTheGroupsRatiosThroughACheckpoint()
    {
        using var scope = NewDisposeScope();
        using var optimizer = Fused();
        using var resumed = Fused();

        Cosine.Apply(optimizer, 9);
        resumed.SetState(optimizer.GetState());
        Cosine.Apply(resumed, 0);

        Assert.Equal([0.05, 0.0005], optimizer.Groups.Select(group => group.LearningRate), (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal([0.02, 0.0002], resumed.Groups.Select(group => group.LearningRate), (a, b) => Math.Abs(a - b) < 1e-15);
    }

    [Theory]
    [InlineData("sgd")]
    [InlineData("adamw")]
    [InlineData("rmsprop")]
    public void Apply_OnAStockOptimizer_KeepsTheGroupsRatios(string kind)
    {
        using var scope = NewDisposeScope();
        Parameter first = new(ones(1)), second = new(ones(1));
        using var optimizer = Stock(kind, first, second);

        Cosine.Apply(optimizer, 0);
        Cosine.Apply(optimizer, 9);

        Assert.Equal([0.05, 0.0005], optimizer.ParamGroups.Select(group => group.LearningRate), (a, b) => Math.Abs(a - b) < 1e-15);
    }

    // It has one group only.
    [Fact]
    public void Apply_OnLbfgs_SetsTheRateOfItsGroup()
    {
        using var scope = NewDisposeScope();
        using var optimizer = optim.LBFGS([new Parameter(ones(1))], 0.1);

        Cosine.Apply(optimizer, 0);
        Cosine.Apply(optimizer, 9);

        Assert.Equal(0.05, optimizer.ParamGroups.Single().LearningRate, 1e-15);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(15)]
    public void Factor_OutsideTheRun_NamesTheStepAndTheRange(long step)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Cosine.Factor(step));

        Assert.Contains("[0, 14]", error.Message, StringComparison.Ordinal);
        Assert.Equal(("step", step), (error.ParamName, error.ActualValue));
    }

    [Fact]
    public void Apply_OutsideTheRun_ChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var optimizer = Fused();

        Assert.Throws<ArgumentOutOfRangeException>(() => Cosine.Apply(optimizer, 15));
        Assert.Throws<ArgumentNullException>(() => Cosine.Apply(null!, 0));

        Assert.Equal([0.1, 0.001], optimizer.Groups.Select(group => group.LearningRate));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-1e-9)]
    [InlineData(double.PositiveInfinity)]
    public void Schedule_WhenANumberIsOutOfRange_SaysSo(double value)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new CosineSchedule(value));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearSchedule(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cosine with { WarmupSteps = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => Cosine with { WarmupSteps = 14.5 });
        Assert.Throws<ArgumentOutOfRangeException>(() => Cosine with { FinalFactor = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => Cosine with { FinalFactor = 1.01 });
    }

    private static FusedSgd Fused()
    {
        ParameterGroup[] groups = [new([("a", new Parameter(ones(1)))]), new([("b", new Parameter(ones(1)))]) { LearningRate = 0.001 }];
        return new FusedSgd(groups, new SgdOptions { LearningRate = 0.1 });
    }

    private static optim.Optimizer Stock(string kind, Parameter first, Parameter second) => kind switch
    {
        "sgd" => optim.SGD([new SGD.ParamGroup([first], 0.1), new SGD.ParamGroup([second], 0.001)], 1),
        "adamw" => optim.AdamW([new AdamW.ParamGroup([first], 0.1), new AdamW.ParamGroup([second], 0.001)], 1),
        _ => optim.RMSProp([new RMSProp.ParamGroup([first], 0.1), new RMSProp.ParamGroup([second], 0.001)], 1),
    };
}
