using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;

namespace Pdp.Baselines.Tests;

public sealed class OptGTests
{
    [Fact]
    public void Gradients_AreMaskedForWeightsAndStraightThroughForScores()
    {
        using var scene = new Scene(Scene.Options(new OptG(), 0.6));
        scene.FillScores(1);
        scene.Pruner.BeginEpoch(0);

        scene.HasTheGradientsOfScores();
    }

    [Fact]
    public void Mask_IsOneCutThroughAllScores()
    {
        using var scene = new Scene(Scene.Options(new OptG(), 0.6));
        var scores = scene.FillScores(1);
        Tensors.Fill(scene.ScoreOf("second.weight"), scores["second.weight"] = [.. scores["second.weight"].Select(s => s - 1)]);
        scores["second.weight"] = scene.ScoreOf("second.weight").Values();
        scene.Pruner.BeginEpoch(0);

        var masked = scene.Masked();

        var all = scores.Values.SelectMany(score => score).Order().ToArray();
        var cut = all[(int)Math.Round(0.6 * all.Length)];
        Assert.All(scene.Layers, layer => Assert.Equal(scene[layer].Zip(scores[layer], (w, s) => s >= cut ? w : 0), masked[layer]));
        Assert.True(SparsityOf(masked["second.weight"]) > SparsityOf(masked["first.weight"]) + 0.1, "The cut is global.");
        Assert.All(scene.Pruner.Masks, mask => Assert.Equal(mask.RemovedWeights, Zeros(masked[mask.Name])));
    }

    [Theory]
    [InlineData(null, 100, 1)]
    [InlineData(null, 500, 1)]
    [InlineData(null, 10, 0.1)]
    [InlineData(1.0, 10, 1)]
    [InlineData(0.25, 100, 0.25)]
    public void Mask_ChangesOncePerInterval(double? interval, double epochs, double length)
    {
        using var scene = new Scene(Scene.Options(new OptG { Interval = interval }, 0.6) with { Epochs = epochs });
        scene.FillScores(1);
        scene.Pruner.BeginEpoch(0);
        var before = scene.Masked();

        scene.FillScores(2);
        scene.Pruner.BeginEpoch(0.7 * length);
        var within = scene.Masked();
        Assert.Equal(scene.Layers.Select(layer => Zeros(before[layer])), scene.Pruner.Masks.Select(mask => mask.Removed));
        scene.Pruner.BeginEpoch(1.2 * length);
        var after = scene.Masked();
        scene.FillScores(3);
        scene.Pruner.BeginEpoch(1.95 * length);
        var last = scene.Masked();
        scene.Pruner.BeginEpoch(2 * length);

        Assert.Equal(before, within);
        Assert.NotEqual(before["first.weight"], after["first.weight"]);
        Assert.Equal(after, last);
        Assert.NotEqual(last["first.weight"], scene.Masked()["first.weight"]);
        Assert.Equal(Zeros(before), Zeros(after));
    }

    [Fact]
    public void Mask_AtAnIntervalOfZero_ChangesEachTime()
    {
        using var scene = new Scene(Scene.Options(new OptG { Interval = 0 }, 0.6));
        scene.FillScores(1);
        scene.Pruner.BeginEpoch(0);
        var before = scene.Masked();

        scene.FillScores(2);
        scene.Pruner.BeginEpoch(0);

        Assert.NotEqual(before["first.weight"], scene.Masked()["first.weight"]);
    }

    [Fact]
    public void AShortRun_StillHasManyCuts()
    {
        using var scene = new Scene(new PdpOptions { Method = new OptG(), Sparsity = 0.9, Epochs = 10 });
        var totals = new HashSet<long>();
        for (var step = 0; step <= 500; step++)
        {
            scene.Pruner.BeginEpoch(step / 50.0);
            totals.Add(Zeros(scene.Masked()));
        }

        Assert.InRange(totals.Count, 15, 101);
    }

    [Fact]
    public void Totals_FollowTheScheduleExactly()
    {
        using var scene = new Scene(new PdpOptions { Method = new OptG(), Sparsity = 0.9, Epochs = 10 });
        var totals = new List<long>();
        for (var epoch = 0; epoch <= 10; epoch++)
        {
            scene.Pruner.BeginEpoch(epoch);
            Assert.Equal(scene.Pruner.Masks.Sum(mask => mask.Removed), Zeros(scene.Masked()));
            Assert.Equal(
                scene.Pruner.Masks.Sum(mask => mask.Strategy.Removed(mask.Target, scene.Pruner.Schedule.Fraction(epoch))),
                Zeros(scene.Masked()));
            totals.Add(Zeros(scene.Masked()));
            scene.FillScores(epoch);
        }

        Assert.Equal(totals.Order(), totals);
        Assert.Equal((0, 1498), (totals[0], totals[10]));
        Assert.InRange(totals[5], 749 - 3, 749);
    }

    [Fact]
    public void WhereAllScoresTie_TotalsHoldAndEachLayerKeepsAWeight()
    {
        using var scene = new Scene(Scene.Options(new OptG(), 0.9));
        scene.Pruner.BeginEpoch(0);

        var masked = scene.Masked();

        Assert.Equal([511, 987, 0], scene.Layers.Select(layer => Zeros(masked[layer])));
    }

    [Fact]
    public void ALayerThatWouldLoseEverything_KeepsItsBestAndOthersLoseMore()
    {
        using var scene = new Scene(Scene.Options(new OptG(), 0.5));
        scene.FillScores(1);
        Tensors.Fill(scene.ScoreOf("last.weight"), [.. Enumerable.Range(0, 128).Select(i => i == 70 ? -50.0 : -51)]);
        scene.Pruner.BeginEpoch(0);

        var masked = scene.Masked();

        Assert.Equal(70, Array.FindIndex(masked["last.weight"], w => w != 0));
        Assert.Equal(127, Zeros(masked["last.weight"]));
        Assert.Equal(832, Zeros(masked));
    }

    [Fact]
    public void ATargetReachedWithinAnInterval_IsMetAtOnce()
    {
        using var scene = new Scene(
            new PdpOptions { Method = new OptG { Interval = 1 }, Sparsity = 0.5, Epochs = 10, Schedule = new OneShot { Epoch = 2.5 } });
        scene.FillScores(1);
        foreach (var epoch in (double[])[0, 1, 2])
        {
            scene.Pruner.BeginEpoch(epoch);
            Assert.Equal(0, Zeros(scene.Masked()));
        }

        scene.Pruner.BeginEpoch(2.5);
        var report = scene.Pruner.Commit();

        Assert.Equal(832, report.Removed);
        Assert.Equal(832, report.Layers.Sum(layer => layer.Zeros));
    }

    [Fact]
    public void Commit_KeepsItsCountsInTheEpochsAfterIt()
    {
        using var scene = new Scene(Scene.Options(new OptG(), 0.6));
        scene.FillScores(1);
        scene.Pruner.BeginEpoch(0);
        scene.Masked();
        var removed = scene.Pruner.Commit().Layers.Select(layer => layer.Removed).ToArray();

        scene.Pruner.BeginEpoch(1);

        Assert.NotEqual(removed, scene.Pruner.Masks.Select(mask => mask.TargetWeights));
        Assert.Equal(removed, scene.Pruner.Masks.Select(mask => mask.RemovedWeights));
        Assert.Empty(scene.Pruner.Report().Warnings);
    }

    [Fact]
    public void Report_AfterTheCommit_WarnsOfWhatIsEmptyAndNotOfWhatMagnitudesWouldHaveEmptied()
    {
        using var scene = new Scene(Scene.Options(new OptG(), 0.7));
        scene.Fill("second.weight", [.. scene["second.weight"].Select(value => 1e-6 * value)]);
        scene.FillScores(1);
        Assert.Contains("'second.weight' keeps", Assert.Single(scene.Pruner.Plan().Warnings), StringComparison.Ordinal);
        scene.Pruner.BeginEpoch(0);
        scene.Masked();

        var report = scene.Pruner.Commit();

        Assert.InRange(report.Layers.Single(layer => layer.Name == "second.weight").Sparsity, 0.5, 0.9);
        Assert.Empty(report.Warnings);
    }

    [Fact]
    public void ACutThatFailed_IsTriedAgain()
    {
        using var scene = new Scene(Scene.Options(new OptG(), 0.5) with { Schedule = new LinearRamp(0, 10) });
        scene.Pruner.BeginEpoch(0);
        Tensors.Fill(scene.ScoreOf("second.weight"), [.. Enumerable.Repeat(double.NegativeInfinity, 1024)]);
        Assert.Throws<InvalidOperationException>(() => scene.Pruner.BeginEpoch(5));

        Assert.Throws<InvalidOperationException>(() => scene.Pruner.BeginEpoch(5));
        scene.FillScores(1);
        scene.Pruner.BeginEpoch(5);

        var total = scene.Pruner.Masks.Sum(mask => mask.Strategy.Removed(mask.Target, 0.5));
        Assert.InRange(total, 410, 416);
        Assert.Equal(total, Zeros(scene.Masked()));
        Assert.Equal(total, scene.Pruner.Masks.Sum(mask => mask.Removed));
    }

    [Fact]
    public void Schedule_IsASigmoidOverTheRun()
    {
        using var scene = new Scene(new PdpOptions { Method = new OptG(), Sparsity = 0.5, Epochs = 20 });

        Assert.Equal(new SigmoidRamp(0, 20), scene.Pruner.Schedule);
    }

    private static long Zeros(double[] weight) => weight.LongCount(w => w == 0);

    private static long Zeros(Dictionary<string, double[]> weights) => weights.Values.Sum(Zeros);

    private static double SparsityOf(double[] weight) => Zeros(weight) / (double)weight.Length;
}
