using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

public sealed class PatternLockTests
{
    [Fact]
    public void Pattern_IsTheSameAfterFineTuning()
    {
        using var scene = new Scene(Prepared.Lock(0.7));
        var before = Pattern(scene);
        for (var step = 0; step < 20; step++)
        {
            scene.Pruner.BeginEpoch(step / 2.0);
            Assert.Equal(before, Pattern(scene));
            scene.Pass(step);
            scene.Step(0.1);
            Disturb(scene, step);
        }

        var report = scene.Pruner.Commit();

        Assert.Equal(before, Pattern(scene));
        Assert.Equal(before.LongCount(isKept => !isKept), report.Removed);
        Assert.Equal([358, 716, 89], scene.Pruner.Masks.Select(mask => mask.Target));
    }

    [Fact]
    public void Pattern_IsThatOfWhenThePrunerWasMade()
    {
        using var scene = new Scene(Prepared.Lock(0.75));
        var before = Pattern(scene);
        Disturb(scene, 1);

        scene.Pruner.BeginEpoch(0);

        Assert.Equal(before, Pattern(scene));
        Assert.Equal(0.75, scene.Pruner.Sparsity);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public void WeightsThatAreLoadedAfterThePrunerWasMade_AreRefused(double sparsity)
    {
        using var scene = new Scene(Prepared.Lock(sparsity));
        var loaded = scene["second.weight"].Select((w, index) => index % 3 == 0 ? 0 : w + 0.01).ToArray();
        scene.Fill("second.weight", loaded);

        var fault = Assert.Throws<InvalidOperationException>(() => scene.Pruner.BeginEpoch(0));

        Assert.Contains("'second.weight' has zeros", fault.Message, StringComparison.Ordinal);
        Assert.Contains("load the weights before making the pruner", fault.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => scene.Pruner.BeginEpoch(0));
        Assert.Equal(loaded.Select(w => (double)(float)w), scene["second.weight"]);
    }

    [Fact]
    public void Gradient_IsMasked()
    {
        using var scene = new Scene(Prepared.Lock(0.5));
        scene.Pruner.BeginEpoch(0);

        var pass = scene.Pass();

        Assert.All(scene.Layers, layer => Assert.Equal(
            scene.Upstream(layer).Zip(scene[layer], (g, w) => w == 0 ? 0 : g), pass[layer].Gradient));
        Assert.All(scene.Layers, layer => Assert.Contains(0, pass[layer].Gradient));
    }

    [Fact]
    public void AWeightThatIsZeroByChance_IsLockedToo()
    {
        using var scene = new Scene(new PdpOptions { Method = new Prepared(new PatternLock(), ZeroOne), Epochs = 10 });
        scene.Pruner.BeginEpoch(0);

        var gradient = scene.Pass()["second.weight"].Gradient;

        Assert.Equal([3], gradient.Index().Where(pair => pair.Item == 0).Select(pair => pair.Index));
        Assert.Equal([1L, 1, 1], scene.Pruner.Masks.Select(mask => mask.Removed));

        static void ZeroOne(Pdp.MethodLayer layer)
        {
            var values = Tensors.Values(layer.Weight!);
            values[3] = 0;
            Tensors.Fill(layer.Weight!, values);
        }
    }

    [Fact]
    public void AKeptWeightThatTrainingMakesZero_StaysKept()
    {
        using var scene = new Scene(Prepared.Lock(0.5));
        scene.Pruner.BeginEpoch(0);
        scene.Masked();
        var weights = scene["last.weight"];
        var index = Array.FindIndex(weights, w => w != 0);
        weights[index] = 0;
        scene.Fill("last.weight", weights);

        scene.Pruner.BeginEpoch(1);
        var gradient = scene.Pass()["last.weight"].Gradient;
        scene.Pruner.Commit();

        Assert.NotEqual(0, gradient[index]);
        Assert.Equal(64, scene.Pruner.Masks[2].Removed);
        Assert.Equal(63, scene["last.weight"].Count(w => w != 0));
    }

    [Fact]
    public void WhatDecidesOtherwise_IsRefused()
    {
        var options = new PdpOptions { Method = new PatternLock(), Epochs = 10 };

        Assert.Contains("leave PdpOptions.Sparsity unset", UnsupportedReason(options with { Sparsity = 0.5 }), StringComparison.Ordinal);
        Assert.Contains("leave the schedule", UnsupportedReason(options with { Schedule = new CubicRamp(0, 1) }), StringComparison.Ordinal);
        Assert.Contains("the allocation", UnsupportedReason(options with { Allocation = new UniformSparsity() }), StringComparison.Ordinal);
        Assert.Contains(
            "the automatic start",
            UnsupportedReason(options with { AutomaticStart = new AutomaticStart { Level = 0.5 } }),
            StringComparison.Ordinal);
        Assert.Contains(
            "the sparsities of layers",
            UnsupportedReason(options with { Rules = [new LayerRule("last.weight") { Sparsity = 0.5 }] }),
            StringComparison.Ordinal);
        Assert.StartsWith(
            "pattern lock is not defined for the strategy 2:4; it supports unstructured.",
            UnsupportedReason(options with { Strategy = NofM.Parse("2:4") }),
            StringComparison.Ordinal);
    }

    [Fact]
    public void AWeightOfZerosAlone_IsRefused()
    {
        var method = new Prepared(new PatternLock(), Empty);

        Assert.Contains(
            "'first.weight' is all zeros", UnsupportedReason(new PdpOptions { Method = method, Epochs = 10 }), StringComparison.Ordinal);

        static void Empty(Pdp.MethodLayer layer)
        {
            using var _ = no_grad();
            layer.Weight!.zero_();
        }
    }

    private static string UnsupportedReason(PdpOptions options) => Assert.Throws<ArgumentException>(() => new Scene(options)).Message;

    private static bool[] Pattern(Scene scene) => [.. scene.Layers.SelectMany(layer => scene[layer]).Select(w => w != 0)];

    /// <summary>As momentum and decay do, this moves weights that get no gradient.</summary>
    private static void Disturb(Scene scene, double step)
    {
        foreach (var layer in scene.Layers)
            scene.Fill(layer, [.. scene[layer].Select((w, index) => (0.99 * w) + (0.3 * Math.Sin(1 + index + step)))]);
    }
}
