using static TorchSharp.torch;

namespace Pdp.Samples.Tests;

public sealed class TimelineTests
{
    private static readonly Times Default = new();

    [Fact]
    public void Schedule_WhenNoOptionAsksForOne_IsTheMethodsOwn() => Assert.Null(new Timeline(Default).Schedule());

    [Fact]
    public void Schedule_AfterSomeDenseEpochs_EndsAtHalfOfTheRun_LongOnesLater_WithChannelsAtAQuarter()
    {
        Assert.Equal(new CubicRamp(3, 4), new Timeline(Default with { DenseEpochs = 3 }).Schedule());
        Assert.Equal(new CubicRamp(1.5, 2), new Timeline(Default with { DenseEpochs = 1.5, Strategy = "channel" }).Schedule());
        Assert.Equal(new CubicRamp(1, 7), new Timeline(Default with { RampEnd = 7 }).Schedule());
        Assert.Equal(new CubicRamp(1, 7), new Timeline(Default with { RampEnd = 7, Strategy = "channel" }).Schedule());

        var longer = Default with { Epochs = 10 };
        Assert.Equal(new CubicRamp(3, 6), new Timeline(longer with { DenseEpochs = 3 }).Schedule());
        Assert.Equal(new CubicRamp(2.5, 7), new Timeline(longer with { RampEnd = 7 }).Schedule());
        Assert.Equal(new CubicRamp(1.25, 7), new Timeline(longer with { RampEnd = 7, Strategy = "channel" }).Schedule());
        Assert.Equal(new CubicRamp(1.5, 2.5), new Timeline(longer with { DenseEpochs = 1.5, Strategy = "channel" }).Schedule());
    }

    [Theory]
    [InlineData(8, "unstructured")]
    [InlineData(10, "unstructured")]
    [InlineData(30, "2:4")]
    [InlineData(30, "channel")]
    public void Schedule_WhereOneEndIsGiven_HasTheOtherOfTheLibrary(int epochs, string strategy)
    {
        using var model = nn.Linear(8, 8);
        using var pruner = new PdpPruner(
            model,
            new PdpOptions { Epochs = epochs, Sparsity = strategy == "2:4" ? null : 0.5, Strategy = StrategyOption.Parse(strategy) });
        var settings = Default with { Epochs = epochs, Strategy = strategy };

        Assert.Equal(pruner.Schedule, new Timeline(settings with { DenseEpochs = pruner.Schedule.StartEpoch }).Schedule());
        Assert.Equal(pruner.Schedule, new Timeline(settings with { RampEnd = pruner.Schedule.EndEpoch }).Schedule());
    }

    [Theory]
    [InlineData(2.0, 1.5)]
    [InlineData(5.0, null)]
    [InlineData(null, 8.5)]
    [InlineData(null, 0.5)]
    public void Schedule_WhenTheRampCantBe_NamesItsOptions(double? start, double? end)
    {
        var error = Assert.Throws<ArgumentException>(
            () => new Timeline(Default with { DenseEpochs = start, RampEnd = end }).Schedule());

        Assert.Contains("(--dense-epochs) and end at epoch", error.Message, StringComparison.Ordinal);
        Assert.Contains("(--ramp-end)", error.Message, StringComparison.Ordinal);
        Assert.Contains("within the 8 epochs of the run (--epochs)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Schedule_WhenTheSlopeIsTooSmallForTheRun_NamesIt()
    {
        var error = Assert.Throws<ArgumentException>(() => new Timeline(Default with { Epsilon = 0.1 }).Schedule());

        Assert.Equal("The ramp would start at epoch 1 (--dense-epochs) and end at epoch 11 (--epsilon): it must end after its start and "
            + "within the 8 epochs of the run (--epochs).", error.Message);
        Assert.Equal(8, new Timeline(Default with { DenseEpochs = 6, Epsilon = 0.5 }).Schedule()!.EndEpoch);
    }

    [Theory]
    [InlineData("either --temperature or --relative-temperature", "0.25", 1e-4, null)]
    [InlineData("--anneal-end is for a temperature that is annealed", "0.25", null, 4.0)]
    [InlineData("--anneal-end is for a temperature that is annealed", null, null, 4.0)]
    [InlineData("end at epoch 0.5 (--anneal-end)", "1:0.03", null, 0.5)]
    [InlineData("end at epoch 9 (--anneal-end)", "1:0.03", null, 9.0)]
    public void Temperature_WhenItCantBe_NamesItsOptions(string expected, string? relative, double? absolute, double? annealEnd)
    {
        var timeline = new Timeline(Default with { RelativeTemperature = relative, Temperature = absolute, AnnealEnd = annealEnd });

        var error = Assert.Throws<ArgumentException>(timeline.Temperature);

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Temperature_WhenItIsGiven_IsTaken()
    {
        var annealed = new Timeline(Default with { RelativeTemperature = "1:0.03" }).Temperature()!;

        Assert.Null(new Timeline(Default).Temperature());
        Assert.Equal((true, 1, 0.03, 1, 7.2), (annealed.IsRelative, annealed.From, annealed.To, annealed.StartEpoch, annealed.EndEpoch));
        Assert.Equal(0.25, new Timeline(Default with { RelativeTemperature = "0.25" }).Temperature()!.To);
        Assert.False(new Timeline(Default with { Temperature = 1e-4 }).Temperature()!.IsRelative);
    }

    [Fact]
    public void GradientTemperature_WhenItIsGiven_IsTaken()
    {
        var annealed = new Timeline(Default with { GradientTemperature = "1:0.03", AnnealEnd = 5 }).GradientTemperature()!;

        Assert.Null(new Timeline(Default with { RelativeTemperature = "1" }).GradientTemperature());
        Assert.Equal((true, 1, 0.03, 1, 5), (annealed.IsRelative, annealed.From, annealed.To, annealed.StartEpoch, annealed.EndEpoch));
        Assert.Equal(Temperature.Relative(2), new Timeline(Default with { GradientTemperature = "2" }).GradientTemperature());
    }

    [Fact]
    public void RadialCorrection_IsThatOfTheGradientTemperatureThatIsGiven()
    {
        var corrected = Default with { RadialCorrection = true };

        Assert.Equal(
            Temperature.Relative(2).WithRadialCorrection(),
            new Timeline(corrected with { GradientTemperature = "2" }).GradientTemperature());
        Assert.Contains("--radial-correction is for a temperature that is given",
            Assert.Throws<ArgumentException>(new Timeline(corrected).GradientTemperature).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HardFrom_IsThatOfEachTemperatureThatIsGiven()
    {
        var hard = Default with { HardFrom = 6 };

        Assert.Equal(Temperature.Relative(1).HardFrom(6), new Timeline(hard with { RelativeTemperature = "1" }).Temperature());
        Assert.Equal(Temperature.Absolute(1e-4).HardFrom(6), new Timeline(hard with { Temperature = 1e-4 }).Temperature());
        Assert.Equal(Temperature.Relative(2).HardFrom(6), new Timeline(hard with { GradientTemperature = "2" }).GradientTemperature());
        Assert.Contains("--hard-from is for temperatures that are given",
            Assert.Throws<ArgumentException>(new Timeline(hard).Temperature).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "The commit would come in epoch 3, but the schedule ends in epoch 4")]
    [InlineData(9, "The commit would come in epoch 9 (--commit-at), after the run of 8 epochs (--epochs)")]
    public void RequireEnded_WhenTheZerosCantBeFinal_SaysWhy(double commit, string expected)
    {
        var timeline = new Timeline(Default with { DenseEpochs = 1 });

        var error = Assert.Throws<ArgumentException>(() => timeline.RequireEnded(commit, timeline.Schedule()));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        timeline.RequireEnded(4, timeline.Schedule());
    }

    private sealed record Times : PruningSettings
    {
        public override int Epochs { get; init; } = 8;
    }
}
