using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

public sealed class PdpPrunerScheduleTests
{
    [Fact]
    public void BeginEpoch_AtTheStart_FreezesTheAllocation()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 4, Schedule = new LinearRamp(1, 3) });
        pruner.BeginEpoch(0);
        Assert.False(pruner.Plan().IsFinal);
        pruner.BeginEpoch(1);
        var frozen = pruner.Plan().Layers.Select(layer => layer.Removed).ToArray();

        using (no_grad())
            model.parameters().First().mul_(100);

        Assert.True(pruner.Plan().IsFinal);
        Assert.Equal(frozen, pruner.Plan().Layers.Select(layer => layer.Removed));
    }

    [Fact]
    public void BeginEpoch_InFractions_FollowsTheRamp()
    {
        using var model = Linear(100, 10, hasBias: false);
        using var pruner = new PdpPruner(
            model, new PdpOptions { Sparsity = 0.8, Epochs = 2, Schedule = new LinearRamp(0, 1), MinimumLayerSparsity = 0.8 });

        var sparsities = new List<double>();
        foreach (var epoch in new[] { 0, 0.25, 0.5, 0.75, 1 })
        {
            pruner.BeginEpoch(epoch);
            pruner.Mask().Dispose();
            sparsities.Add(pruner.Sparsity);
        }

        Assert.Equal([0, 0.2, 0.4, 0.6, 0.8], sparsities);
    }

    [Fact]
    public void ReportMetric_AboveTheLevelForFiveEpochs_BeginsPruningAtTheNext()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Automatic(epochs: 100));
        var sparsities = new List<double>();

        foreach (var metric in new[] { 0.3, 0.6, 0.4, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6 })
        {
            pruner.BeginEpoch(sparsities.Count);
            pruner.Mask().Dispose();
            sparsities.Add(pruner.Sparsity);
            pruner.ReportMetric(metric);
        }

        Assert.Equal(0, sparsities[8]);
        Assert.Equal(Math.Floor(0.5 * 0.5 * 1664) / 1664, sparsities[9], 0.002);
    }

    [Fact]
    public void ReportMetric_NeverAboveTheLevel_BeginsInTimeToEndWithinTheRun()
    {
        using var model = TestModels.Mlp();
        // The last start in time, 5.5, lies between two calls of BeginEpoch.
        using var pruner = new PdpPruner(model, Automatic(epochs: 8) with { Schedule = new LinearRamp(1, 3.5) });

        for (var epoch = 0; epoch < 8; epoch++)
        {
            pruner.BeginEpoch(epoch);
            pruner.Mask().Dispose();
            pruner.ReportMetric(0);
        }

        pruner.BeginEpoch(8);
        Assert.Equal(832, pruner.Commit().Removed);
    }

    [Fact]
    public void Paper_IsThePapersExactSetting()
    {
        var options = PdpOptions.Paper(0.855);

        var ramp = Assert.IsType<EpsilonRamp>(options.Schedule);
        Assert.Equal((16, 0.015, 100), (ramp.WarmupEpochs, ramp.Epsilon, options.Epochs));
        Assert.Equal((false, 1e-4, 1e-4), (options.Temperature!.IsRelative, options.Temperature.From, options.Temperature.To));
        Assert.Equal(new GlobalMagnitude { DensityFloor = 0 }, options.Allocation);
        Assert.Equal(83, Enumerable.Range(0, 100).First(epoch => ramp.Fraction(epoch) >= 1));
    }

    [Fact]
    public void Schedule_IsByDefaultACubicRampThatIsLaterInLongRuns_ForChannelsUntilAQuarter()
    {
        using var model = TestModels.Mlp();
        var options = new PdpOptions { Sparsity = 0.5, Epochs = 16 };
        using (var pruner = new PdpPruner(model, options))
            Assert.Equal(new CubicRamp(4, 0.6 * 16), pruner.Schedule);
        using (var pruner = new PdpPruner(model, options with { Epochs = 10 }))
            Assert.Equal(new CubicRamp(2.5, 6), pruner.Schedule);
        using (var pruner = new PdpPruner(model, options with { Epochs = 9.9 }))
            Assert.Equal(new CubicRamp(0.125 * 9.9, 0.5 * 9.9), pruner.Schedule);
        using (var pruner = new PdpPruner(model, options with { Strategy = new PerChannel() }))
            Assert.Equal(new CubicRamp(2, 4), pruner.Schedule);
    }

    [Fact]
    public void Temperature_IsByDefaultAnnealedAndHardInTheLastQuarter_ForChannelsAlways()
    {
        var options = new PdpOptions { Sparsity = 0.5, Epochs = 16 };
        var soft = Temperature.Relative(1);

        Assert.Equal(
            (soft.AnnealedTo(0.001, 4, 12).HardFrom(12), soft.AnnealedTo(0.1, 4, 12).HardFrom(12).WithRadialCorrection()), Of(options));
        Assert.Equal(
            (soft.AnnealedTo(0.001, 2.5, 7.5).HardFrom(7.5), soft.AnnealedTo(0.1, 2.5, 7.5).HardFrom(7.5).WithRadialCorrection()),
            Of(options with { Epochs = 10 }));
        Assert.Equal(
            (soft.AnnealedTo(0.001, 1, 6).HardFrom(6), soft.AnnealedTo(1, 1, 6).HardFrom(6)), Of(options with { Epochs = 8 }));
        Assert.Equal(
            (soft.AnnealedTo(0.001, 4, 9.6).HardFrom(9.6), soft.AnnealedTo(0.1, 4, 9.6).HardFrom(9.6)),
            Of(options with { Sparsity = null, Strategy = NofM.Keep(2, of: 4) }));
        Assert.Equal((Temperature.Relative(1e-6), null), Of(options with { Strategy = new PerChannel() }));
    }

    [Theory]
    [InlineData(13, 14, 14.6)]
    [InlineData(4, 15, 15)]
    [InlineData(0, 2, 12)]
    public void Temperature_WhereAScheduleEndsLate_IsHardFromItsEndOn(double start, double end, double hard)
    {
        var options = new PdpOptions { Sparsity = 0.5, Epochs = 16, Schedule = new CubicRamp(start, end) };
        var soft = Temperature.Relative(1);

        Assert.Equal(
            (soft.AnnealedTo(0.001, start, hard).HardFrom(hard), soft.AnnealedTo(0.1, start, hard).HardFrom(hard).WithRadialCorrection()),
            Of(options));
    }

    [Fact]
    public void GradientTemperature_WhereAnotherTemperatureIsGiven_IsThatOfTheMasks()
    {
        var (options, own) = (new PdpOptions { Sparsity = 0.5, Epochs = 16 }, Temperature.Relative(0.1));

        Assert.Equal((own, null), Of(options with { Temperature = own }));
        Assert.Equal((own, null), Of(options, new LayerRule("fc") { Temperature = own }));
        Assert.Equal(own, Of(options with { GradientTemperature = own }).Gradient);
        Assert.Equal(Of(options).Mask, Of(options with { GradientTemperature = own }).Mask);
    }

    private static (Temperature Mask, Temperature? Gradient) Of(PdpOptions options, LayerRule? rule = null) =>
        options.TemperaturesOf(rule, options.Strategy);

    private static PdpOptions Automatic(double epochs) => new()
    {
        Sparsity = 0.5,
        Epochs = epochs,
        Schedule = new LinearRamp(1, 3),
        AutomaticStart = new AutomaticStart { Level = 0.5 },
    };
}
