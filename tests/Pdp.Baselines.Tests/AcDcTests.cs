using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using Pdp.Tests.Support;

namespace Pdp.Baselines.Tests;

public sealed class AcDcTests
{
    /// <summary>Compressed in the epochs 1, 3 and 6 to 9.</summary>
    private static readonly AlternatingPhases Phases = new([1, 3, 6], [2, 4]);

    [Fact]
    public void DensePhases_SeeTheWeightAndItsGradient()
    {
        using var scene = New();
        foreach (var epoch in (double[])[0, 0.5, 1, 2, 3, 4, 5.5])
        {
            scene.Pruner.BeginEpoch(epoch);
            var weights = scene.Layers.ToDictionary(layer => layer, layer => scene[layer]);

            var pass = scene.Pass();

            var isDense = epoch is not (1 or 3);
            Assert.All(scene.Layers, layer => Assert.Equal(weights[layer], pass[layer].Masked));
            Assert.All(scene.Layers, layer => Assert.Equal(
                isDense ? scene.Upstream(layer) : scene.Upstream(layer).Zip(weights[layer], (g, w) => w == 0 ? 0 : g),
                pass[layer].Gradient));
            Disturb(scene, epoch);
        }
    }

    [Fact]
    public void Compression_KeepsTheLargestOfAllLayersTogether_EachTimeAnew()
    {
        using var scene = New();
        Reach(scene, 1);
        var first = Zeros(scene);
        Reach(scene, 2);
        Disturb(scene, 2);
        scene.Fill("first.weight", [.. scene["first.weight"].Select(w => 10 * w)]);
        var weights = scene.Layers.SelectMany(layer => scene[layer]).ToArray();
        var cut = weights.Select(Math.Abs).Order().ElementAt((int)Removed(scene, 0.6));

        scene.Pruner.BeginEpoch(3);

        Assert.Equal(weights.Select(w => Math.Abs(w) < cut ? 0 : w), scene.Layers.SelectMany(layer => scene[layer]));
        Assert.Equal(Removed(scene, 0.6), Zeros(scene).Values.Sum());
        Assert.True(Zeros(scene)["first.weight"] < first["first.weight"]);
        Assert.Equal(scene.Pruner.Masks.Select(mask => mask.Removed), scene.Layers.Select(layer => Zeros(scene)[layer]));
    }

    [Fact]
    public void CompressedPhase_KeepsItsMask()
    {
        using var scene = New();
        Reach(scene, 5);
        Disturb(scene, 5);
        Reach(scene, 6);
        var before = Pattern(scene);

        for (var epoch = 6.0; epoch < 10; epoch += 0.5)
        {
            Disturb(scene, epoch);
            scene.Pruner.BeginEpoch(epoch);

            Assert.Equal(before, Pattern(scene));
            Assert.Equal(Removed(scene, 0.6), Zeros(scene).Values.Sum());
            Assert.Equal(scene.Layers.Select(layer => Zeros(scene)[layer]), scene.Pruner.Masks.Select(mask => mask.Removed));
        }
    }

    [Fact]
    public void Decompression_StartsFromZeroAndLearns()
    {
        using var scene = New();
        Reach(scene, 1);
        var removed = scene["second.weight"].Index().Where(pair => pair.Item == 0).Select(pair => pair.Index).ToArray();
        Disturb(scene, 1);

        scene.Pruner.BeginEpoch(2);
        var weights = scene["second.weight"];
        var gradient = scene.Pass()["second.weight"].Gradient;
        scene.Step(0.1);

        Assert.NotEmpty(removed);
        Assert.All(removed, index => Assert.Equal(0, weights[index]));
        Assert.All(removed, index => Assert.Equal(scene.Upstream("second.weight")[index], gradient[index]));
        Assert.All(removed, index => Assert.NotEqual(0, scene["second.weight"][index]));
    }

    [Fact]
    public void Commit_ComesInTheLastPhase()
    {
        using var scene = New();
        Reach(scene, 5);
        Assert.Throws<InvalidOperationException>(() => scene.Pruner.Commit());
        Reach(scene, 9);
        Disturb(scene, 9);

        var report = scene.Pruner.Commit();

        Assert.Equal(Removed(scene, 0.6), report.Removed);
        Assert.Equal(Removed(scene, 0.6), Zeros(scene).Values.Sum());
    }

    [Fact]
    public void ALayerOfTheSmallestWeights_KeepsOne()
    {
        using var scene = New();
        scene.Fill("last.weight", [.. Enumerable.Range(0, 128).Select(i => i == 70 ? 1e-5 : 1e-6)]);

        Reach(scene, 1);

        Assert.Equal([70], scene["last.weight"].Index().Where(pair => pair.Item != 0).Select(pair => pair.Index));
        Assert.Equal(Removed(scene, 0.6), Zeros(scene).Values.Sum());
    }

    [Fact]
    public void EqualWeights_GoByPosition()
    {
        using var scene = New();
        foreach (var layer in scene.Layers)
            scene.Fill(layer, [.. scene[layer].Select(_ => 0.5)]);

        Reach(scene, 1);

        // 998 of 1664: all but one of the first layer's 512, and then 487 of the second's.
        Assert.Equal([511, 487, 0], scene.Layers.Select(layer => Zeros(scene)[layer]));
        Assert.Equal(Enumerable.Range(0, 1024).Select(i => i < 487 ? 0.0 : 0.5), scene["second.weight"]);
    }

    [Fact]
    public void Groups_KeepTwoOfFour()
    {
        using var scene = new Scene(Scene.Options(new AcDc(), null) with { Schedule = Phases, Strategy = NofM.Parse("2:4") });
        foreach (var epoch in (double[])[0, 1, 2, 3])
        {
            Reach(scene, epoch);
            Assert.All(scene.Layers, layer => Assert.All(
                scene[layer].Chunk(4), group => Assert.Equal(epoch == 0 ? 4 : 2, group.Count(w => w != 0))));
            Disturb(scene, epoch);
            Assert.All(scene.Masked().Values, weight => Assert.All(
                weight.Chunk(4), group => Assert.Equal(epoch is 1 or 3 ? 2 : 4, group.Count(w => w != 0))));
        }
    }

    [Fact]
    public void AnotherAllocation_KeepsItsCounts()
    {
        using var scene = new Scene(Options() with { Allocation = new UniformSparsity(), Sparsity = 0.5 });

        Reach(scene, 1);

        Assert.Equal([256, 512, 64], scene.Layers.Select(layer => Zeros(scene)[layer]));
    }

    [Fact]
    public void LayersOfTheirOwnSparsity_AreRefusedWhereAllAreRankedTogether()
    {
        var rule = Options() with { Rules = [new LayerRule("last.weight") { Sparsity = 0.1 }] };

        Assert.Contains(
            "leave the sparsities of rules", Assert.Throws<ArgumentException>(() => new Scene(rule)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Scene(Options() with { MaximumLayerSparsity = 0.9 }));
        Assert.Throws<ArgumentException>(() => new Scene(Options() with { MinimumLayerSparsity = 0.1 }));
        foreach (var floor in new[] { 0.2, 0.5 })
        {
            Assert.Contains("density floor", Assert.Throws<ArgumentException>(() => new Scene(Options() with
            {
                Allocation = new GlobalMagnitude { DensityFloor = floor },
            })).Message, StringComparison.Ordinal);
        }

        new Scene(Options() with { Allocation = new GlobalMagnitude { DensityFloor = 0 } }).Dispose();
        using var scene = new Scene(rule with { Allocation = new UniformSparsity() });
        Reach(scene, 1);
        Assert.Equal(12, Zeros(scene)["last.weight"]);
    }

    [Fact]
    public void Schedule_IsThePapersScaledToTheRunUnlessOneIsSet()
    {
        using var scene = new Scene(Options() with { Schedule = null, Epochs = 100 });
        using var other = new Scene(Options() with { Schedule = new OneShot { Epoch = 4 } });

        Assert.Equal(AlternatingPhases.Over(100).Compressions, Assert.IsType<AlternatingPhases>(scene.Pruner.Schedule).Compressions);
        Assert.Equal(new OneShot { Epoch = 4 }, other.Pruner.Schedule);
    }

    [Fact]
    public void Phases_LeaveNoTensorBehind()
    {
        using var scene = new Scene(Options() with { Epochs = 100, Schedule = AlternatingPhases.Over(100) });
        var epoch = 0.0;

        Leaks.None(() => TestModels.Train(scene.Model, scene.Pruner, epoch += 5, seed: 1));

        Assert.Equal(50, epoch);
    }

    [Fact]
    public void AutomaticStart_IsRefused()
    {
        var error = Assert.Throws<ArgumentException>(
            () => new Scene(Options() with { AutomaticStart = new AutomaticStart { Level = 0.5 } }));

        Assert.Contains("leave PdpOptions.AutomaticStart unset", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Channels_AreRefusedWithWhatItCanDo()
    {
        var error = Assert.Throws<ArgumentException>(() => new Scene(Options() with { Strategy = new PerChannel() }));

        Assert.StartsWith(
            "AC/DC is not defined for the strategy channel; it supports unstructured, N:M.", error.Message, StringComparison.Ordinal);
    }

    private static PdpOptions Options() => Scene.Options(new AcDc(), 0.6) with { Schedule = Phases };

    private static Scene New() => new(Options());

    /// <summary>Begins all epochs up to one.</summary>
    private static void Reach(Scene scene, double epoch)
    {
        for (var i = scene.Pruner.Epoch is { } last ? last + 1 : 0; i <= epoch; i++)
        {
            scene.Pruner.BeginEpoch(i);
            scene.Masked();
        }
    }

    /// <summary>As momentum and decay do, this moves weights that get no gradient.</summary>
    private static void Disturb(Scene scene, double epoch)
    {
        foreach (var layer in scene.Layers)
            scene.Fill(layer, [.. scene[layer].Select((w, index) => (0.99 * w) + (0.3 * Math.Sin(1 + index + epoch)))]);
    }

    private static long Removed(Scene scene, double sparsity) =>
        (long)Math.Round(sparsity * scene.Pruner.Masks.Sum(mask => mask.Layout.Elements));

    private static Dictionary<string, long> Zeros(Scene scene) =>
        scene.Layers.ToDictionary(layer => layer, layer => scene[layer].LongCount(w => w == 0));

    private static bool[] Pattern(Scene scene) => [.. scene.Masked().Values.SelectMany(weight => weight).Select(w => w != 0)];
}
