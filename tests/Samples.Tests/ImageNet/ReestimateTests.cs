using Pdp.Samples.ImageNet;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class ReestimateTests
{
    [Fact]
    public void Reestimate_AfterTheCommit_ChangesNothingButTheStatistics()
    {
        using var run = new TinyRun(TinyRun.Default with { Ema = null, Reestimate = 3 });
        run.Train();
        run.Learner.Pruner!.BeginEpoch(run.Settings.Epochs);
        run.Learner.Pruner.Commit();
        var before = run.State();

        run.Trainer.Reestimate();

        var changed = run.State().Where(entry => before[entry.Key] != entry.Value)
            .Select(entry => entry.Key[(entry.Key.IndexOf(' ', StringComparison.Ordinal) + 1)..]).ToArray();
        Assert.Contains("bn1.running_mean", changed);
        Assert.All(changed, name => Assert.Contains("running_", name, StringComparison.Ordinal));
    }

    [Fact]
    public void Reestimate_OnTwoRanks_GivesThemTheSameStatistics()
    {
        var states = new string[2];

        ThreadRanks.Run(2, ranks =>
        {
            using var run = new TinyRun(TinyRun.Default with { Accumulate = 1, Ema = null, Reestimate = 2 }, ranks: ranks);
            var before = run.State().Values.ToArray();
            run.Trainer.Reestimate();
            Assert.NotEqual(before, run.State().Values);
            states[ranks.Rank] = string.Join(' ', run.State().Select(entry => entry.Value));
        });

        Assert.Equal(states[0], states[1]);
    }

    [Fact]
    public void Reestimate_OnTwoRanksOfACommittedAverage_ChangesNothingButTheStatistics()
    {
        var states = new string[2];

        ThreadRanks.Run(2, ranks =>
        {
            using var run = new TinyRun(TinyRun.Default with { Accumulate = 1, Reestimate = 2 }, ranks: ranks);
            run.Train();
            run.Learner.Pruner!.BeginEpoch(run.Settings.Epochs);
            run.Learner.Average!.Swap();
            run.Learner.Pruner.Commit();
            var before = run.State();

            run.Trainer.Reestimate();

            Assert.All(
                run.State().Where(entry => before[entry.Key] != entry.Value),
                entry => Assert.Contains("running_", entry.Key, StringComparison.Ordinal));
            states[ranks.Rank] = string.Join(' ', run.State().Select(entry => entry.Value));
        });

        Assert.Equal(states[0], states[1]);
    }

    [Fact]
    public void EndEpoch_OnTwoRanks_GivesTheirAveragesTheSameStatistics()
    {
        var states = new string[2];

        ThreadRanks.Run(2, ranks =>
        {
            using var run = new TinyRun(TinyRun.Default with { Accumulate = 1 }, ranks: ranks);
            run.Train();
            states[ranks.Rank] = string.Join(' ', run.State().Where(entry => entry.Key.StartsWith("average ", StringComparison.Ordinal)));
        });

        Assert.Contains("running_mean", states[0], StringComparison.Ordinal);
        Assert.Equal(states[0], states[1]);
    }

    [Fact]
    public void Constructor_WhenAnEpochHasFewerBatches_SaysSo()
    {
        var error = Assert.Throws<ArgumentException>(() => new TinyRun(TinyRun.Default with { Reestimate = 100 }));

        Assert.Contains("An epoch has 12 batches: lower --reestimate 100.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("mobilenet-v1")]
    [InlineData("mobilenet-v2")]
    public void Reestimate_OfEachNetwork_ReachesAllBatchNorms(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var model = Networks.Make(new Settings { Model = name, Classes = 4 });

        BatchNorms.Reestimate(model, [rand(4, 3, 32, 32)]);

        // One that is not reached is an error.
        Assert.All(model.state_dict().Where(entry => entry.Key.EndsWith("running_mean", StringComparison.Ordinal)), entry =>
            Assert.NotEqual(0, entry.Value.abs().max().item<float>()));
    }
}
