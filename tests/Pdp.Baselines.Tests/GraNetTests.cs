using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using Pdp.Tests.Support;

namespace Pdp.Baselines.Tests;

public sealed class GraNetTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(5)]
    [InlineData(10)]
    public void Regeneration_SwapsTheSmallestForTheLargestGradients(double epoch)
    {
        using var scene = New(new ConstantSparsity());
        scene.Pruner.BeginEpoch(0);
        scene.Pass(seed: 6);
        var before = Active(scene, seed: 8);
        Disturb(scene);
        var weights = scene.Layers.ToDictionary(layer => layer, layer => scene[layer]);

        scene.Pruner.BeginEpoch(epoch);
        var updated = scene.Layers.ToDictionary(layer => layer, layer => scene[layer]);
        var after = Active(scene, seed: 9);

        var share = 0.005 + (0.495 * (1 + Math.Cos(Math.PI * epoch / 10)) / 2);
        foreach (var layer in scene.Layers)
        {
            var expected = Regenerated(before[layer], weights[layer], scene.Upstream(layer, 8), share);
            Assert.Equal(expected.Order(), after[layer].Order());
            Assert.Equal(before[layer].Count, after[layer].Count);
            Assert.Equal(weights[layer].Select((w, i) => before[layer].Contains(i) && after[layer].Contains(i) ? w : 0), updated[layer]);
        }
    }

    [Fact]
    public void Share_IsThatOfTheRun_WhereverAnAutomaticStartFalls()
    {
        using var scene = new Scene(Options(new GraNet { Interval = 0 }, new OneShot { Epoch = 1 }) with { AutomaticStart = new() { Level = 0.5, Epochs = 1 } });
        scene.Pruner.BeginEpoch(0);
        scene.Pruner.ReportMetric(1);
        Begin(scene, 7);
        var before = Active(scene, seed: 8);
        var weights = scene.Layers.ToDictionary(layer => layer, layer => scene[layer]);

        scene.Pruner.BeginEpoch(8);
        var after = Active(scene, seed: 9);

        var share = 0.005 + (0.495 * (1 + Math.Cos(Math.PI * 0.8)) / 2);
        Assert.All(scene.Layers, layer => Assert.Equal(Regenerated(before[layer], weights[layer], scene.Upstream(layer, 8), share).Order(), after[layer].Order()));
        Assert.True(scene.Pruner.Sparsity > 0.5);
    }

    [Fact]
    public void NewWeights_AreZeroAndHaveTheTopGradients()
    {
        using var scene = New(new ConstantSparsity());
        scene.Pruner.BeginEpoch(0);
        var before = Active(scene, seed: 8);
        Disturb(scene);

        scene.Pruner.BeginEpoch(1);
        var weights = scene["second.weight"];
        var after = Active(scene)["second.weight"];

        var isNew = after.Except(before["second.weight"]).ToArray();
        var gradients = scene.Upstream("second.weight", 8).Select(Math.Abs).ToArray();
        var inactive = Enumerable.Range(0, weights.Length).Except(after).ToArray();
        Assert.True(isNew.Length > 20);
        Assert.All(isNew, index => Assert.Equal(0, weights[index]));
        Assert.True(isNew.Min(index => gradients[index]) > inactive.Max(index => gradients[index]));
        Assert.True(isNew.Average() is > 400 and < 624, "Grown by position.");
    }

    [Fact]
    public void NewWeights_ThatAreStillZero_RankAboveRemovedOnes()
    {
        using var scene = New(new ConstantSparsity());
        Begin(scene, 0);
        scene.Pruner.BeginEpoch(0.5);
        var before = Active(scene, seed: 9);
        Assert.All(scene.Layers, layer => Assert.True(before[layer].Count(index => scene[layer][index] == 0) > 0.1 * before[layer].Count));

        scene.Pruner.BeginEpoch(10);
        var after = Active(scene);

        Assert.All(scene.Layers, layer => Assert.True(before[layer].Except(after[layer]).Count() <= 0.005 * before[layer].Count));
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
    public void WithoutRegeneration_TheLargestOfAllLayersAreKept()
    {
        using var scene = new Scene(Options(new GraNet { Interval = 0, Regeneration = 0 }, new CubicRamp(1, 6)));
        Begin(scene, 0, 1, 2);
        Disturb(scene);
        scene.Fill("first.weight", [.. scene["first.weight"].Select(w => 3 * w)]);
        var active = Active(scene);
        var weights = scene.Layers.SelectMany(layer => scene[layer].Select((w, i) => active[layer].Contains(i) ? w : 0)).ToArray();

        Begin(scene, 3);

        var removed = (int)scene.Pruner.Masks.Sum(mask => mask.Removed);
        var cut = weights.Select(Math.Abs).Order().ElementAt(removed);
        Assert.True(removed > weights.Count(w => w == 0));
        Assert.Equal(weights.Select(w => Math.Abs(w) < cut ? 0 : w), scene.Layers.SelectMany(layer => scene[layer]));
    }

    [Fact]
    public void RemovedWeights_AreZeroInTheWeightItself()
    {
        using var scene = New(new ConstantSparsity());
        Begin(scene, 0);
        Disturb(scene);
        Begin(scene, 0.5);

        var active = Active(scene);

        Assert.All(scene.Layers, layer => Assert.All(scene[layer].Index(), pair => Assert.True(pair.Item == 0 || active[layer].Contains(pair.Index))));
    }

    [Fact]
    public void Updates_WaitForTheInterval_ButNotAtTheTarget()
    {
        using var scene = new Scene(Options(new GraNet { Interval = 2 }, new CubicRamp(1, 5)));
        var patterns = new List<string>();
        for (var epoch = 0; epoch < 8; epoch++)
        {
            scene.Pruner.BeginEpoch(epoch);
            Assert.Equal(1664 - scene.Pruner.Masks.Sum(mask => mask.Removed), Active(scene, seed: epoch).Values.Sum(active => active.Count));
            patterns.Add(string.Join(' ', Active(scene, seed: epoch).Values.Select(active => string.Join(',', active.Order()))));
        }

        bool[] changes = [.. patterns.Zip(patterns.Skip(1), (before, after) => before != after)];
        Assert.Equal([false, true, false, true, true, true, false], changes);
    }

    [Fact]
    public void Interval_IsA64thOfTheRunByDefault()
    {
        using var scene = new Scene(Options(new GraNet(), new ConstantSparsity()) with { Epochs = 64 });
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
    public void AGradient_ServesOnce()
    {
        using var scene = New(new ConstantSparsity());
        Begin(scene, 0);
        Begin(scene, 1);
        scene.Pruner.BeginEpoch(1.1);
        Disturb(scene);
        var once = Pattern();

        scene.Pruner.BeginEpoch(1.2);

        Assert.Equal(once, Pattern());
        Assert.Contains(false, once);

        bool[] Pattern() => [.. scene.Masked().Values.SelectMany(weight => weight).Select(w => w != 0)];
    }

    [Fact]
    public void AnotherAllocation_KeepsItsCounts()
    {
        using var scene = new Scene(Options(new GraNet { Interval = 0 }, new CubicRamp(1, 6)) with { Allocation = new UniformSparsity(), Sparsity = 0.5 });

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
        var options = Options(new GraNet(), new ConstantSparsity());

        var error = Assert.Throws<ArgumentException>(() => new Scene(options with { Sparsity = null, Strategy = NofM.Parse("2:4") }));

        Assert.StartsWith("GraNet is not defined for the strategy 2:4; it supports unstructured.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Scene(options with { MinimumLayerSparsity = 0.1 }));
        Assert.Throws<InvalidOperationException>(() => new GraNet().Attach([]));
    }

    private static PdpOptions Options(GraNet method, ISparsityScheduler schedule) => Scene.Options(method, 0.6) with { Schedule = schedule };

    private static Scene New(ISparsityScheduler schedule) => new(Options(new GraNet { Interval = 0 }, schedule));

    /// <summary>Begins epochs, with a step in each.</summary>
    private static void Begin(Scene scene, params double[] epochs)
    {
        foreach (var epoch in epochs)
        {
            scene.Pruner.BeginEpoch(epoch);
            scene.Pass();
        }
    }

    /// <summary>The weights of each layer that get a gradient, as active weights that are new are zero.</summary>
    private static Dictionary<string, HashSet<int>> Active(Scene scene, int seed = 7) => scene.Pass(seed).ToDictionary(
        pair => pair.Key, pair => pair.Value.Gradient.Index().Where(gradient => gradient.Item != 0).Select(gradient => gradient.Index).ToHashSet());

    /// <summary>The second stage by sorting.</summary>
    private static IEnumerable<int> Regenerated(HashSet<int> active, double[] weights, double[] gradients, double share)
    {
        var remaining = active.OrderBy(index => Math.Abs(weights[index])).Skip((int)(share * active.Count)).ToHashSet();
        var grown = Enumerable.Range(0, weights.Length).Except(remaining).OrderByDescending(index => Math.Abs(gradients[index])).Take(active.Count - remaining.Count);
        return remaining.Union(grown);
    }

    /// <summary>As momentum and decay do, this moves weights that get no gradient.</summary>
    private static void Disturb(Scene scene)
    {
        foreach (var layer in scene.Layers)
            scene.Fill(layer, [.. scene[layer].Select((w, index) => (0.99 * w) + (0.03 * Math.Sin(1 + index)))]);
    }
}
