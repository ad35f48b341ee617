using Pdp.Samples.ImageNet;
using Pdp.Samples.ImageNet.Data;
using Pdp.Samples.ImageNet.Training;
using Pdp.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class TrainerTests
{
    private const int Side = 32;
    private static readonly Settings Settings =
        new() { Classes = 4, Epochs = 2, Batch = 8, Side = Side, Lr = 0.1, LrWarmup = 0, LabelSmoothing = 0.1 };

    [Theory]
    [InlineData("dense")]
    [InlineData("pdp")]
    public void Epoch_WhenBatchIsInParts_TakesTheStepsOfTheWhole(string method)
    {
        var settings = Settings with { Method = method, Strategy = "unstructured", DenseEpochs = 0, RampEnd = 0.5 };

        var (whole, steps) = TrainedWeights(settings);
        var (parts, _) = TrainedWeights(settings with { Accumulate = 4 });

        Assert.Equal([1, 2, 3], steps);
        Assert.NotEqual(TrainedWeights(settings with { Lr = 0.11 }).Weights, whole);
        // The same sums of float32 in another order.
        Assert.All(whole.Zip(parts), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void Epoch_WhenOver_LeavesNothingBehind()
    {
        using var run = new TinyRun(TinyRun.Default);
        foreach (var epoch in new[] { 0, 1, 2 })
        {
            Consume(run, epoch);
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        Consume(run, 3);

        Assert.Equal(before, Tensor.TotalCount);

        static void Consume(TinyRun run, int epoch) => Assert.Equal(6, run.Trainer.Epoch(Progress.Start with { Epoch = epoch }).Count());
    }

    [Fact]
    public void Epoch_AfterACommitInMidRun_AveragesTheCommittedWeights()
    {
        using var scope = NewDisposeScope();
        using var run = new TinyRun(TinyRun.Default with { CommitAt = 3 });

        run.Train();

        var averages = run.Learner.Average!.GetState();
        Assert.All(run.Learner.Pruner!.GetMasks(), mask =>
            Assert.Equal(0, averages[mask.Key].masked_select(mask.Value.logical_not()).count_nonzero().item<long>()));
    }

    [Fact]
    public void Constructor_WhenPicturesAreFewerThanABatch_SaysSo()
    {
        var error = Assert.Throws<ArgumentException>(() => new TinyRun(TinyRun.Default with { Batch = 100, Accumulate = 1 }));

        Assert.Contains("There are 48 pictures to train on, fewer than a batch of 100", error.Message, StringComparison.Ordinal);
    }

    // Without batch-norm, whose statistics are of a part.
    private static (float[] Weights, int[] Steps) TrainedWeights(Settings settings)
    {
        manual_seed(1).Dispose();
        using var model = Sequential(Flatten(), Linear(3 * Side * Side, settings.Classes));
        using var optimizer = new FusedSgd(
            model.named_parameters(), new SgdOptions { LearningRate = settings.Lr, Momentum = settings.Momentum });
        using var pruner = settings.Method == "pdp" ? new PdpPruner(model, Pruning.Options(settings, model)) : null;
        using var pictures = new SyntheticBatches(24, settings.Classes, settings.Part, Side, 0, isTraining: true);
        var learner = new Learner(model, optimizer, null, pruner);
        using var team = new Team(SingleRank.Instance, learner);
        using var trainer = new Trainer(settings, learner, pictures, team);
        int[] steps = [.. trainer.Epoch(Progress.Start)];
        return (((Linear)model[1]).weight.data<float>().ToArray(), steps);
    }
}
