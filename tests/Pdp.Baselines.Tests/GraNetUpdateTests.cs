using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using Pdp.Tests.Support;
using static Pdp.Baselines.Tests.GraNetScene;

namespace Pdp.Baselines.Tests;

public sealed class GraNetUpdateTests
{
    [Fact]
    public void Share_IsThatOfTheRun_WhereverAnAutomaticStartFalls()
    {
        using var scene = new Scene(
            OptionsFor(new GraNet { Interval = 0 }, new OneShot { Epoch = 1 }) with { AutomaticStart = new() { Level = 0.5, Epochs = 1 } });
        scene.Pruner.BeginEpoch(0);
        scene.Pruner.ReportMetric(1);
        Begin(scene, 7);
        var before = Active(scene, seed: 8);
        var weights = scene.Layers.ToDictionary(layer => layer, layer => scene[layer]);

        scene.Pruner.BeginEpoch(8);
        var after = Active(scene, seed: 9);

        var share = 0.005 + (0.495 * (1 + Math.Cos(Math.PI * 0.8)) / 2);
        Assert.All(scene.Layers, layer => Assert.Equal(
            Regenerated(before[layer], weights[layer], scene.Upstream(layer, 8), share).Order(), after[layer].Order()));
        Assert.True(scene.Pruner.Sparsity > 0.5);
    }

    [Fact]
    public void Total_IsThatOfTheCubicScheduleAtEachUpdate()
    {
        using var scene = New(new CubicRamp(1, 6));
        for (var epoch = 0.0; epoch < 10; epoch += 0.5)
        {
            scene.Pruner.BeginEpoch(epoch);
            var masks = scene.Pruner.Masks;
            var x = Math.Clamp((epoch - 1) / 5, 0, 1);
            var expected = masks.Sum(mask => (long)((mask.Target * (1 - Math.Pow(1 - x, 3))) + 1e-9));

            Assert.Equal(expected, masks.Sum(mask => mask.Removed));
            Assert.Equal(expected, masks.Sum(mask => mask.Members) - Active(scene).Values.Sum(active => active.Count));
            Disturb(scene);
        }

        Assert.Equal((long)Math.Round(0.6 * 1664), scene.Pruner.Commit().Removed);
    }

    [Fact]
    public void Updates_WaitForTheInterval_ButNotAtTheTarget()
    {
        using var scene = new Scene(OptionsFor(new GraNet { Interval = 2 }, new CubicRamp(1, 5)));
        var patterns = new List<string>();
        for (var epoch = 0; epoch < 8; epoch++)
        {
            scene.Pruner.BeginEpoch(epoch);
            Assert.Equal(
                1664 - scene.Pruner.Masks.Sum(mask => mask.Removed), Active(scene, seed: epoch).Values.Sum(active => active.Count));
            patterns.Add(string.Join(' ', Active(scene, seed: epoch).Values.Select(active => string.Join(',', active.Order()))));
        }

        bool[] changes = [.. patterns.Zip(patterns.Skip(1), (before, after) => before != after)];
        Assert.Equal([false, true, false, true, true, true, false], changes);
    }

    [Fact]
    public void Interval_IsA64thOfTheRunByDefault()
    {
        using var scene = new Scene(OptionsFor(new GraNet(), new ConstantSparsity()) with { Epochs = 64 });
        var before = Step(0);
        var soon = Step(0.99);
        var later = Step(1);

        Assert.Equal(before, soon);
        Assert.NotEqual(before, later);

        int[] Step(double epoch)
        {
            scene.Pruner.BeginEpoch(epoch);
            return [.. Active(scene)["first.weight"].Order()];
        }
    }

    [Fact]
    public void AnotherAllocation_KeepsItsCounts()
    {
        using var scene = new Scene(
            OptionsFor(new GraNet { Interval = 0 }, new CubicRamp(1, 6)) with { Allocation = new UniformSparsity(), Sparsity = 0.5 });

        Begin(scene, 0, 1, 2, 3, 4, 5, 6);

        Assert.Equal([256, 512, 64], scene.Pruner.Masks.Select(mask => mask.Removed));
    }

    [Fact]
    public void Updates_LeaveNoTensorBehind()
    {
        using var scene = New(new CubicRamp(0, 5));
        var epoch = 0.0;

        Leaks.None(() => TestModels.Train(scene.Model, scene.Pruner, epoch += 0.01, seed: 1));

        Assert.True(scene.Pruner.Sparsity > 0);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Interval_OutsideItsRange_IsRefused(double interval) =>
        Assert.Equal("Interval", Assert.Throws<ArgumentOutOfRangeException>(() => new GraNet { Interval = interval }).ParamName);

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Regeneration_OutsideItsRange_IsRefused(double share) =>
        Assert.Equal("Regeneration", Assert.Throws<ArgumentOutOfRangeException>(() => new GraNet { Regeneration = share }).ParamName);

    [Fact]
    public void OtherStrategies_AreRefusedWithWhatItCanDo()
    {
        var options = OptionsFor(new GraNet(), new ConstantSparsity());

        var error = Assert.Throws<ArgumentException>(() => new Scene(options with { Sparsity = null, Strategy = NofM.Parse("2:4") }));

        Assert.StartsWith("GraNet is not defined for the strategy 2:4; it supports unstructured.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Scene(options with { MinimumLayerSparsity = 0.1 }));
        Assert.Throws<InvalidOperationException>(() => new GraNet().Attach([]));
    }
}
