using Pdp.Baselines.Tests.Support;

namespace Pdp.Baselines.Tests;

public sealed class DnwTests
{
    [Fact]
    public void Gradient_IsTheUpstreamOneForEveryWeight()
    {
        using var scene = new Scene(Scene.Options(new Dnw(), 0.8));
        scene.Pruner.BeginEpoch(0);

        var pass = scene.Pass();

        Assert.All(scene.Layers, layer => Assert.Equal(scene.Upstream(layer), pass[layer].Gradient));
    }

    [Fact]
    public void Forward_KeepsTheLargestOfEachLayerUnchanged()
    {
        using var scene = new Scene(Scene.Options(new Dnw(), null) with
        {
            Allocation = new Pdp.SparsityTable(
            new Dictionary<string, double> { ["first.weight"] = 0.5, ["second.weight"] = 0.75, ["last.weight"] = 0.9 })
        });
        scene.Pruner.BeginEpoch(0);
        var weights = scene["second.weight"];

        var masked = scene.Masked()["second.weight"];

        var removed = (int)Math.Floor(weights.Length * 0.75);
        var cut = weights.Select(Math.Abs).Order().ElementAt(removed - 1);
        Assert.Equal(weights.Select(w => Math.Abs(w) > cut ? w : 0), masked);
        Assert.Equal(weights.Length - removed, masked.Count(w => w != 0));
    }

    [Fact]
    public void Mask_FollowsAWeightThatOvertakesTheSmallestKeptOne()
    {
        using var scene = new Scene(Scene.Options(new Dnw()));
        scene.Pruner.BeginEpoch(0);
        var before = scene.Masked()["first.weight"];
        var returns = Array.IndexOf(before, 0.0);
        var weights = scene["first.weight"];
        weights[returns] = 10;
        scene.Fill("first.weight", weights);

        var after = scene.Masked()["first.weight"];

        Assert.Equal(10, after[returns]);
        Assert.Equal(before.Count(w => w == 0), after.Count(w => w == 0));
        Assert.Equal(2, before.Zip(after).Count(pair => (pair.First == 0) != (pair.Second == 0)));
    }

    [Fact]
    public void Mask_StaysWhereNothingOvertakes()
    {
        using var scene = new Scene(Scene.Options(new Dnw()));
        scene.Pruner.BeginEpoch(0);
        var before = scene.Masked()["first.weight"];
        var weights = scene["first.weight"];
        var smallest = before.Where(w => w != 0).Min(Math.Abs);

        // What is removed grows up to just below the smallest that is kept, and kept ones grow too.
        scene.Fill("first.weight", [.. weights.Zip(
            before, (w, m) => m == 0 ? 0.999 * smallest * Math.Sign(w) : m == smallest ? m : 1.5 * m)]);
        var after = scene.Masked()["first.weight"];

        Assert.Equal(before.Select(w => w != 0), after.Select(w => w != 0));
    }

    [Fact]
    public void Counts_AreRoundedDown()
    {
        LayerRule[] rules =
            [new("first.weight") { Sparsity = 0.703 }, new("second.weight") { Sparsity = 0.7 }, new("last.weight") { Sparsity = 0.7 }];
        using var scene = new Scene(Scene.Options(new Dnw(), null) with { Rules = rules });
        scene.Pruner.BeginEpoch(0);

        var masked = scene.Masked();

        // Of 359.936, 716.8 and 89.6.
        Assert.Equal([512 - 359, 1024 - 716, 128 - 89], scene.Layers.Select(layer => masked[layer].Count(w => w != 0)));
    }

    [Fact]
    public void Channels_AreRefusedWithWhatItCanDo()
    {
        var error = Assert.Throws<ArgumentException>(() => new Scene(Scene.Options(new Dnw()) with { Strategy = new PerChannel() }));

        Assert.StartsWith(
            "DNW is not defined for the strategy channel; it supports unstructured, N:M.", error.Message, StringComparison.Ordinal);
    }
}
