using Pdp.Baselines.Tests.Support;
using static Pdp.Baselines.Tests.GraNetScene;

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
    public void WithoutRegeneration_TheLargestOfAllLayersAreKept()
    {
        using var scene = new Scene(OptionsFor(new GraNet { Interval = 0, Regeneration = 0 }, new CubicRamp(1, 6)));
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

        Assert.All(scene.Layers, layer => Assert.All(
            scene[layer].Index(), pair => Assert.True(pair.Item == 0 || active[layer].Contains(pair.Index))));
    }

    [Fact]
    public void AGradientThatIsNotFinite_DisplacesNoWeight()
    {
        using var scene = New(new ConstantSparsity());
        scene.Pruner.BeginEpoch(0);
        var before = Active(scene, seed: 8);
        using (TorchSharp.torch.NewDisposeScope())
        using (scene.Pruner.Mask())
        {
            foreach (var layer in scene.Layers)
                scene.Parameter(layer).mul(TorchSharp.torch.full_like(scene.Parameter(layer), double.NaN)).sum().backward();
        }

        var weights = scene.Layers.ToDictionary(layer => layer, layer => scene[layer]);
        scene.Pruner.BeginEpoch(1);
        var after = Active(scene);

        Assert.All(scene.Layers, layer => Assert.Equal(before[layer].Count, after[layer].Count));
        Assert.All(scene.Layers, layer => Assert.Subset(after[layer], before[layer]
            .OrderByDescending(index => Math.Abs(weights[layer][index])).Take(before[layer].Count / 2).ToHashSet()));
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
}
