using Pdp.Samples.ImageNet;
using Pdp.Samples.ImageNet.Data;
using Pdp.Samples.ImageNet.Training;
using Pdp.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class EvaluationTests
{
    private const int Side = 32;

    // The bias alone decides: every picture is taken for class 7, then for 6, 5, 4 and 3.
    [Fact]
    public void Measure_WhenGuessesAreKnown_CountsFirstAndFirstFive()
    {
        using var model = Sequential(Flatten(), Linear(3 * Side * Side, 8));
        Fill(model.get_parameter("1.weight")!, new float[8 * 3 * Side * Side]);
        Fill(model.get_parameter("1.bias")!, [0, 1, 2, 3, 4, 5, 6, 7]);
        using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0 });
        using var pictures = new SyntheticBatches(20, 8, 6, Side, 0, isTraining: false);

        var accuracy = Assert.Single(
            Evaluation.Measure(new Learner(model, optimizer, null, null), pictures, [MaskForm.Soft], SingleRank.Instance));

        var labels = Enumerable.Range(0, 20).Select(i => i % 8).ToArray();
        Assert.Equal(labels.Count(label => label == 7) / 20.0, accuracy.Top1);
        Assert.Equal(labels.Count(label => label >= 3) / 20.0, accuracy.Top5);
    }

    // Twenty pictures in batches of three are seven, of which the last is smaller: the first rank has one more than the others.
    [Fact]
    public void Measure_OnSeveralRanks_CountsAllPictures()
    {
        var results = new Accuracy[3];

        ThreadRanks.Run(3, collective =>
        {
            using var model = Sequential(Flatten(), Linear(3 * Side * Side, 8));
            Fill(model.get_parameter("1.weight")!, new float[8 * 3 * Side * Side]);
            Fill(model.get_parameter("1.bias")!, [0, 1, 2, 3, 4, 5, 6, 7]);
            using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0 });
            using var pictures = new SyntheticBatches(20, 8, 3, Side, 0, isTraining: false, new Share(collective.Rank, 3));
            results[collective.Rank] =
                Evaluation.Measure(new Learner(model, optimizer, null, null), pictures, [MaskForm.Soft], collective)[0];
        });

        Assert.All(results, accuracy => Assert.Equal(new Accuracy(2 / 20.0, 11 / 20.0), accuracy));
    }

    [Fact]
    public void Measure_WhenOneRankIsToStop_StopsAll()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var stopped = 0;

        ThreadRanks.Run(2, collective =>
        {
            using var model = Sequential(Flatten(), Linear(3 * Side * Side, 8));
            using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0 });
            using var pictures = new SyntheticBatches(20, 8, 3, Side, 0, isTraining: false, new Share(collective.Rank, 2));
            Assert.Throws<OperationCanceledException>(() => Evaluation.Measure(
                new Learner(model, optimizer, null, null), pictures, [MaskForm.Soft], collective, stop: collective.Rank == 1
                    ? source.Token : default));
            Interlocked.Increment(ref stopped);
        });

        Assert.Equal(2, stopped);
    }

    // White pictures, whose logits are the sums of the classes' weights. Class 0 has a half of them at 1 and the others at 0,
    // class 1 all at 0.9: the larger sum while masks are soft. Commit leaves the quarter that is at 1, and class 0 wins.
    [Fact]
    public void Measure_WhenPruning_TellsTheFormsApartAndChangesNothing()
    {
        using var model = Sequential(Flatten(), Linear(3 * Side * Side, 2, hasBias: false));
        Fill(
            model.get_parameter("1.weight")!,
            [.. Enumerable.Repeat(1f, 1536), .. Enumerable.Repeat(0f, 1536), .. Enumerable.Repeat(0.9f, 3072)]);
        using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0 });
        using var pruner = new PdpPruner(model, Pruning.Options(
            new Settings { Sparsity = 0.75, Epochs = 1, DenseEpochs = 0, RampEnd = 0.5, RelativeTemperature = "5" }, model));
        pruner.BeginEpoch(0.75);
        using var pictures = new WhitePictures();
        var before = model.get_parameter("1.weight")!.bytes.ToArray();

        var accuracy = Evaluation.Measure(
            new Learner(model, optimizer, null, pruner), pictures, [MaskForm.Soft, MaskForm.Folded], SingleRank.Instance);

        Assert.Equal([1, 0], accuracy.Select(form => form.Top1));
        Assert.Equal([1, 1], accuracy.Select(form => form.Top5));
        Assert.Equal(before, model.get_parameter("1.weight")!.bytes.ToArray());
    }

    [Fact]
    public void Measure_WhenThereIsAnAverage_MeasuresItAndBringsTheWeightsBack()
    {
        using var model = Sequential(Flatten(), Linear(3 * Side * Side, 2, hasBias: false));
        var weight = model.get_parameter("1.weight")!;
        Fill(weight, [.. Enumerable.Repeat(0f, 3072), .. Enumerable.Repeat(1f, 3072)]);
        using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0 });
        using var average = new WeightAverage(model, 0.9);
        Fill(weight, [.. Enumerable.Repeat(1f, 3072), .. Enumerable.Repeat(0f, 3072)]);
        using var pictures = new WhitePictures();

        var live = Evaluation.Measure(new Learner(model, optimizer, null, null), pictures, [MaskForm.Raw], SingleRank.Instance);
        var averaged = Evaluation.Measure(new Learner(model, optimizer, average, null), pictures, [MaskForm.Raw], SingleRank.Instance);

        Assert.Equal((0, 1), (live[0].Top1, averaged[0].Top1));
        Assert.Equal(1, weight.ReadCpuSingle(0));
    }

    private static void Fill(Tensor parameter, float[] values)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        parameter.copy_(tensor(values).reshape(parameter.shape));
    }

    // Two pictures, all ones, of class 1.
    private sealed class WhitePictures : IPictureBatches
    {
        public long Pictures => 2;

        public int Count => 1;

        public IEnumerable<PictureBatch> Epoch(int epoch, int first = 0) =>
            [new([.. Enumerable.Repeat(1f, 2 * 3 * Side * Side)], [1, 1], 2, Side, (_, _) => { })];

        public void Dispose()
        {
        }
    }
}
