using Pdp.Tests.Support;
using Pdp.Training.Statistics;
using TorchSharp;
using static Pdp.Training.Tests.Statistics.NormModels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Statistics;

public sealed class BatchNormsTests : IDisposable
{
    /// <summary>A few roundings of float32 numbers below 10. Those of bfloat16 are 2^16 times as large.</summary>
    private const double OfFloat32 = 1e-6;

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
    public void Moments_OfHalfPrecision_AreTakenInFloat32()
    {
        var batch = randn([512, 3], generator: _generator).add(3).to_type(ScalarType.BFloat16);
        var wide = batch.to_type(ScalarType.Float64);

        var (count, mean, variance) = Moments.Of(batch);

        Assert.Equal(512, count);
        Close(wide.mean([0]), mean, OfFloat32);
        Close(wide.var(0, unbiased: false), variance, OfFloat32);
    }

    [Fact]
    public void Reestimate_OfAModelInHalfPrecision_RoundsTheMomentsToItsType()
    {
        using var model = Sequential(BatchNorm1d(3));
        model.to(ScalarType.BFloat16);
        var batch = randn([512, 3], generator: _generator).add(3).to_type(ScalarType.BFloat16);
        var wide = batch.to_type(ScalarType.Float64);

        BatchNorms.Reestimate(model, [batch]);

        Close(wide.mean([0]).to_type(ScalarType.BFloat16), Norms(model)[0].running_mean!, 0);
        Close(wide.var(0, unbiased: true).to_type(ScalarType.BFloat16), Norms(model)[0].running_var!, 0);
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
    public void Reestimate_OfACommittedModel_ChangesNoParameter()
    {
        using var model = Network();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity() });
        pruner.BeginEpoch(0);
        pruner.Mask().Dispose();
        var report = pruner.Commit();
        var before = Parameters();

        BatchNorms.Reestimate(model, [randn([6, 2, 5, 5], generator: _generator)]);

        Assert.True(report.Layers.Sum(layer => layer.Zeros) > 0);
        Assert.Equal(before, Parameters());

        string[] Parameters() => [.. model.parameters().Select(parameter => Convert.ToHexString(parameter.bytes))];
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
