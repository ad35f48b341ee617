using Pdp.Tests.Support;
using TorchSharp;
using static Pdp.Training.Tests.Statistics.NormModels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Statistics;

public sealed class BatchNormsTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(11);

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1e4)]
    public void Reestimate_OverBatchesOfManySizes_GivesThePopulationsMoments(double mean)
    {
        using var model = BatchNorm2d(3);
        Tensor[] batches = [.. new long[] { 4, 1, 7 }.Select(
            (size, i) => randn([size, 3, 5, 2], generator: _generator).add((float)(mean + i)))];

        BatchNorms.Reestimate(model, batches);

        var all = cat([.. batches.Select(batch => batch.to_type(ScalarType.Float64).transpose(0, 1).reshape(3, -1))], 1);
        Close(all.mean([1]), model.running_mean!, 1e-6 + (mean * 6e-8));
        Close(all.var(1, unbiased: true), model.running_var!, 1e-6);
        Assert.Equal(3, model.num_batches_tracked!.item<long>());
    }

    [Fact]
    public void Reestimate_FromOneBatch_AgreesWithATrainingPassOfMomentumOne()
    {
        using var model = Network();
        using var trained = Network();
        trained.load_state_dict(model.state_dict());
        foreach (var norm in Norms(trained))
            norm.momentum = 1;
        var batch = randn([6, 2, 5, 5], generator: _generator);

        BatchNorms.Reestimate(model, [batch]);
        trained.train();
        trained.call(batch);

        Assert.All(Norms(model).Zip(Norms(trained)), pair =>
        {
            Close(pair.Second.running_mean!, pair.First.running_mean!, 1e-5);
            Close(pair.Second.running_var!, pair.First.running_var!, 1e-5);
        });
    }

    [Fact]
    public void Reestimate_WithADropout_DropsNothing()
    {
        using var model = Sequential(("drop", Dropout(0.9)), ("norm", BatchNorm1d(4)));
        var batch = randn([50, 4], generator: _generator);
        model.train();

        BatchNorms.Reestimate(model, [batch]);

        Close(batch.mean([0]), Norms(model)[0].running_mean!, 1e-6);
    }

    [Fact]
    public void Reestimate_Always_BringsBackMomentaAndFlags()
    {
        using var model = Network();
        model.train();
        Norms(model)[1].eval();
        Norms(model)[1].momentum = 0.3;
        var before = Flags(model);

        BatchNorms.Reestimate(model, [randn([6, 2, 5, 5], generator: _generator)]);

        Assert.Equal(before, Flags(model));
        Assert.Contains(before, flag => flag);
        Assert.Contains(before, flag => !flag);
        Assert.Equal([0.1, 0.3], Norms(model).Select(norm => norm.momentum!.Value));
    }

    [Fact]
    public void Reestimate_Afterwards_WatchesNoLonger()
    {
        using var model = Network();
        BatchNorms.Reestimate(model, [randn([6, 2, 5, 5], generator: _generator)]);
        var before = State(model);

        model.eval();
        model.call(randn([6, 2, 5, 5], generator: _generator));

        Assert.Equal(before, State(model));
    }

    [Fact]
    public void Reestimate_OfAModelWithTwoInputs_CallsTheForwardGiven()
    {
        using var norm = BatchNorm1d(2);

        BatchNorms.Reestimate(norm, [(ones(2, 2), zeros(2, 2))], batch => norm.call(cat([batch.Item1, batch.Item2])));

        Assert.Equal([0.5f, 0.5f], norm.running_mean!.data<float>().ToArray());
        Assert.Equal(1 / 3f, norm.running_var!.data<float>()[0], 1e-6f);
    }

    [Fact]
    public void Reestimate_InHalfPrecision_TakesTheMomentsInFloat32()
    {
        using var model = Sequential(BatchNorm1d(1));
        model.to(ScalarType.BFloat16);
        var batch = arange(0, 512, ScalarType.Float32).reshape(512, 1).to_type(ScalarType.BFloat16);

        BatchNorms.Reestimate(model, [batch]);

        Assert.Equal(255.5f, Norms(model)[0].running_mean!.to_type(ScalarType.Float32).item<float>(), 1f);
    }

    [Fact]
    public void Reestimate_OfAModelInTraining_LeavesFrozenNormsAlone()
    {
        using var model = Network();
        var batch = randn([6, 2, 5, 5], generator: _generator).add(3);
        model.train();
        Norms(model)[0].eval();

        BatchNorms.Reestimate(model, [batch]);

        Assert.Equal([0f, 0f, 0f], Norms(model)[0].running_mean!.data<float>().ToArray());
        Assert.All(Norms(model)[1].running_mean!.data<float>(), mean => Assert.NotEqual(0, mean));
        Norms(model)[1].eval();
        Assert.Contains(
            "frozen, such as 'norm1'",
            Assert.Throws<ArgumentException>(() => BatchNorms.Reestimate(model, [batch])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Reestimate_WithACumulativeAverage_GoesOnFromTheBatches()
    {
        using var norm = BatchNorm1d(2);
        norm.momentum = null;
        norm.num_batches_tracked!.fill_(7);

        Assert.ThrowsAny<ArgumentException>(() => BatchNorms.Reestimate(norm, []));
        Assert.Equal(7, norm.num_batches_tracked!.item<long>());
        BatchNorms.Reestimate(norm, [ones(4, 2), zeros(4, 2)]);

        Assert.Null(norm.momentum);
        Assert.Equal(2, norm.num_batches_tracked!.item<long>());
        Assert.Equal([0.5f, 0.5f], norm.running_mean!.data<float>().ToArray());
    }

    [Fact]
    public void Reestimate_OfACommittedModel_KeepsItsZeros()
    {
        manual_seed(3);
        using var model = Network();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity() });
        pruner.BeginEpoch(0);
        pruner.Mask().Dispose();
        var report = pruner.Commit();
        var batch = randn([6, 2, 5, 5], generator: _generator);

        BatchNorms.Reestimate(model, [batch]);

        Assert.Equal(report.Layers.Sum(layer => layer.Zeros), model.parameters().Where(p => p.dim() > 1).Sum(
            p => p.numel() - p.count_nonzero().item<long>()));
    }

    [Fact]
    public void Reestimate_ManyTimes_LeavesNoTensorBehind()
    {
        using var model = Network();
        var batch = randn([6, 2, 5, 5], generator: _generator);

        Leaks.None(() => BatchNorms.Reestimate(model, [batch, batch]));
    }

    private static void Close(Tensor expected, Tensor actual, double tolerance) =>
        Assert.Equal(Numbers(expected), Numbers(actual), (a, b) => Math.Abs(a - b) <= tolerance);

    private static double[] Numbers(Tensor tensor) => tensor.to_type(ScalarType.Float64).contiguous().data<double>().ToArray();
}
