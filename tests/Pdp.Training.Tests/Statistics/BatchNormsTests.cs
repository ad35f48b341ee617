using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
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
        Tensor[] batches = [.. new long[] { 4, 1, 7 }.Select((size, i) => randn([size, 3, 5, 2], generator: _generator).add((float)(mean + i)))];

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
    public void Reestimate_WhenABatchFails_LeavesTheModelAsItWas()
    {
        using var model = Network();
        model.train();
        model.call(randn([6, 2, 5, 5], generator: _generator));
        var (state, flags) = (State(model), Flags(model));

        Assert.Throws<FormatException>(() => BatchNorms.Reestimate(model, Batches()));
        Assert.ThrowsAny<SystemException>(() => BatchNorms.Reestimate(model, [randn([6, 2, 5, 5], generator: _generator), randn([6, 3, 5, 5], generator: _generator)]));

        Assert.Equal(state, State(model));
        Assert.Equal(flags, Flags(model));

        IEnumerable<Tensor> Batches()
        {
            yield return randn([6, 2, 5, 5], generator: _generator);
            throw new FormatException();
        }
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
    public void Reestimate_WhenNothingCanBeEstimated_SaysWhyAndChangesNothing()
    {
        using var plain = Linear(2, 2);
        using var model = new Bypass();
        using var norm = BatchNorm1d(2);
        using var untracked = BatchNorm1d(2, track_running_stats: false);

        Assert.Contains("no batch norm", Assert.Throws<ArgumentException>(() => BatchNorms.Reestimate(plain, [ones(1, 2)])).Message, StringComparison.Ordinal);
        Assert.Contains("no batch norm", Assert.Throws<ArgumentException>(() => BatchNorms.Reestimate(untracked, [ones(1, 2)])).Message, StringComparison.Ordinal);
        Assert.Contains("no batch ", Assert.Throws<ArgumentException>(() => BatchNorms.Reestimate(norm, [])).Message, StringComparison.Ordinal);
        Assert.Contains("'norm' read nothing", Assert.Throws<InvalidOperationException>(() => BatchNorms.Reestimate(model, [ones(4, 2)])).Message, StringComparison.Ordinal);
        Assert.Contains("one value", Assert.Throws<InvalidOperationException>(() => BatchNorms.Reestimate(norm, [ones(1, 2)])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => BatchNorms.Reestimate(null!, []));
        Assert.Throws<ArgumentNullException>(() => BatchNorms.Reestimate(norm, null!));
        Assert.Throws<ArgumentNullException>(() => BatchNorms.Reestimate<Tensor>(norm, [], null!));
        Assert.Equal([0f, 0f], norm.running_mean!.data<float>().ToArray());
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

        Assert.Equal(report.Layers.Sum(layer => layer.Zeros), model.parameters().Where(p => p.dim() > 1).Sum(p => p.numel() - p.count_nonzero().item<long>()));
    }

    [Fact]
    public void Reestimate_ManyTimes_LeavesNoTensorBehind()
    {
        using var model = Network();
        var batch = randn([6, 2, 5, 5], generator: _generator);

        Leaks.None(() => BatchNorms.Reestimate(model, [batch, batch]));
    }

    private static Sequential Network() => Sequential(
        ("conv1", Conv2d(2, 3, 3)), ("norm1", BatchNorm2d(3)), ("relu", ReLU()), ("conv2", Conv2d(3, 4, 3)), ("norm2", BatchNorm2d(4)));

    private static BatchNorm[] Norms(Module model) => [.. model.modules().OfType<BatchNorm>()];

    private static bool[] Flags(Module model) => [model.training, .. model.modules().Select(module => module.training)];

    private static string State(Module model) =>
        string.Join(" ", model.state_dict().Select(entry => $"{entry.Key}:{Convert.ToHexString(entry.Value.bytes)}"));

    private static void Close(Tensor expected, Tensor actual, double tolerance) => Assert.Equal(Numbers(expected), Numbers(actual), (a, b) => Math.Abs(a - b) <= tolerance);

    private static double[] Numbers(Tensor tensor) => tensor.to_type(ScalarType.Float64).contiguous().data<double>().ToArray();

    /// <summary>Uses the forward of its batch norm, which no hook sees.</summary>
    private sealed class Bypass : Module<Tensor, Tensor>
    {
        private readonly BatchNorm1d _norm = BatchNorm1d(2);

        public Bypass()
            : base(nameof(Bypass)) => register_module("norm", _norm);

        public override Tensor forward(Tensor input) => _norm.forward(input);
    }
}
