using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

public sealed class MovementPruningTests
{
    [Fact]
    public void Gradients_AreMaskedForWeightsAndStraightThroughForScores()
    {
        using var scene = new Scene(Scene.Options(new MovementPruning(), 0.6));
        scene.FillScores(1);
        scene.Pruner.BeginEpoch(0);

        scene.HasTheGradientsOfScores();
    }

    [Fact]
    public void Mask_KeepsTheLargestScoresOfEachLayerNotTheLargestMagnitudesOfThem()
    {
        using var scene = new Scene(Scene.Options(new MovementPruning(), 0.6));
        var scores = scene.FillScores(1);
        scene.Pruner.BeginEpoch(0);

        var masked = scene.Masked();

        Assert.All(scene.Pruner.Masks, mask =>
        {
            var cut = scores[mask.Name].Order().ElementAt((int)mask.Removed);
            Assert.Equal(mask.Target, mask.Removed);
            Assert.Equal(scene[mask.Name].Zip(scores[mask.Name], (w, s) => s >= cut ? w : 0), masked[mask.Name]);
        });
    }

    [Fact]
    public void Mask_FollowsTheScoresAtEachScope()
    {
        using var scene = new Scene(Scene.Options(new MovementPruning(), 0.6));
        scene.FillScores(1);
        scene.Pruner.BeginEpoch(0);
        var before = scene.Masked()["first.weight"];

        scene.FillScores(2);
        var after = scene.Masked()["first.weight"];

        Assert.NotEqual(before, after);
        Assert.Equal(before.Count(w => w == 0), after.Count(w => w == 0));
    }

    [Fact]
    public void Mask_DoesNotAskForTheWeights()
    {
        using var scene = new Scene(Scene.Options(new MovementPruning(), 0.6));
        scene.FillScores(1);
        scene.Pruner.BeginEpoch(0);
        var before = scene.Masked()["second.weight"];

        scene.Fill("second.weight", [.. scene["second.weight"].Select((w, i) => w * (i % 2 == 0 ? 8 : -0.125))]);
        var after = scene.Masked()["second.weight"];

        Assert.Equal(before.Select((w, i) => w * (i % 2 == 0 ? 8 : -0.125)), after);
    }

    [Fact]
    public void Counts_FollowTheCubicRamp()
    {
        using var scene = new Scene(new PdpOptions { Method = new MovementPruning(), Sparsity = 0.7, Epochs = 8 });
        Assert.Equal(new CubicRamp(1, 3.2), scene.Pruner.Schedule);
        for (var step = 0; step < 16; step++)
        {
            scene.Pruner.BeginEpoch(step / 4.0);
            var masked = scene.Masked();
            var fraction = scene.Pruner.Schedule.Fraction(step / 4.0);
            Assert.All(scene.Pruner.Masks, mask => Assert.Equal(
                (long)Math.Floor((fraction * mask.Target) + 1e-9), masked[mask.Name].LongCount(w => w == 0)));
            scene.FillScores(step);
        }
    }

    [Fact]
    public void WithoutSparsity_ZeroScoresKeepEverything()
    {
        using var scene = new Scene(Scene.Options(new MovementPruning(), 0.7) with { Schedule = new LinearRamp(5, 10) });
        scene.Pruner.BeginEpoch(0);

        var pass = scene.Pass();

        Assert.All(scene.Layers, layer => Assert.Equal(scene[layer], pass[layer].Masked));
        Assert.All(scene.Layers, layer => Assert.Equal(scene.Upstream(layer), pass[layer].Gradient));
        Assert.All(scene.Layers, layer => Assert.All(scene.ScoreOf(layer).Values(), score => Assert.Equal(0, score)));
    }

    [Fact]
    public void Channels_HaveOneScoreEach()
    {
        using var scene = new Scene(Scene.Options(new MovementPruning(), 0.5) with { Strategy = new PerChannel() });
        var scores = scene.FillScores(1);
        scene.Pruner.BeginEpoch(0);

        var (masked, gradient) = scene.Pass()["first.weight"];

        var cut = scores["first.weight"].Order().ElementAt((int)scene.Pruner.Masks[0].Removed);
        var kept = scores["first.weight"].Select(score => score >= cut ? 1.0 : 0).ToArray();
        Assert.InRange(kept.Sum(), 1, 31);
        Assert.Equal(scene["first.weight"].Select((w, i) => w * kept[i / 16]), masked);
        Assert.Equal(scene.Upstream("first.weight").Select((g, i) => g * kept[i / 16]), gradient);
        var shared = scene.Upstream("first.weight").Zip(scene["first.weight"], (g, w) => g * w).Chunk(16).Select(row => row.Sum());
        Close.Equal([.. shared], scene.ScoreGradient("first.weight"), Close.Float32, 1e-6);
    }

    [Fact]
    public void Parameters_AreOfTheWeightsShapeAndOutliveDisposeScopes()
    {
        Scene scene;
        using (NewDisposeScope())
            scene = new Scene(Scene.Options(new MovementPruning()));

        var parameters = scene.Pruner.Parameters;

        Assert.Equal(["first.weight.score", "second.weight.score", "last.weight.score"], parameters.Select(pair => pair.Name));
        Assert.All(parameters.Zip(scene.Layers), pair => Assert.Equal(scene.Parameter(pair.Second).shape, pair.First.Parameter.shape));
        Assert.All(parameters, pair => Assert.True(pair.Parameter.requires_grad));
        scene.Dispose();
        Assert.All(parameters, pair => Assert.True(pair.Parameter.IsInvalid));
    }

    [Theory]
    [InlineData(ScalarType.Float64, ScalarType.Float64)]
    [InlineData(ScalarType.Float32, ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16, ScalarType.Float32)]
    public void Scores_AreOfTheArithmeticType(ScalarType weight, ScalarType score)
    {
        using var scope = NewDisposeScope();
        var mask = new PdpMask("weight", new WeightLayout([2, 3]), new Unstructured(), Temperature.Absolute(1));
        using var run = new MovementPruning().Attach([new MethodLayer(mask, new Parameter(zeros([2, 3], dtype: weight)))]);

        Assert.Equal(score, run.Parameters[0].Parameter.dtype);
    }

    [Fact]
    public void AnotherStrategy_IsRefusedWithWhatItCanDo()
    {
        var error = Assert.Throws<ArgumentException>(
            () => new Scene(Scene.Options(new MovementPruning(), null) with { Strategy = NofM.Keep(2, of: 4) }));

        Assert.StartsWith(
            "MVP is not defined for the strategy 2:4; it supports unstructured, channel.", error.Message, StringComparison.Ordinal);
    }
}
