using TorchSharp;
using TorchSharp.Modules;
using static Pdp.Training.Tests.Statistics.NormModels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Statistics;

public sealed class BatchNormsFaultTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(11);

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Reestimate_WhenABatchFails_LeavesTheModelAsItWas()
    {
        using var model = Network();
        model.train();
        model.call(randn([6, 2, 5, 5], generator: _generator));
        var (state, flags) = (State(model), Flags(model));

        Assert.Throws<FormatException>(() => BatchNorms.Reestimate(model, Batches()));
        var error = Assert.Throws<ArgumentException>(
            () => BatchNorms.Reestimate(model, [randn([6, 2, 5, 5], generator: _generator), randn([6, 3, 5, 5], generator: _generator)]));

        Assert.Contains("with 2 channels to Conv2d", error.Message, StringComparison.Ordinal);
        Assert.Equal(state, State(model));
        Assert.Equal(flags, Flags(model));

        IEnumerable<Tensor> Batches()
        {
            yield return randn([6, 2, 5, 5], generator: _generator);
            throw new FormatException();
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(3e38f)]
    public void Reestimate_WhenABatchIsNotFinite_NamesItAndLeavesTheModelAsItWas(float wrong)
    {
        using var model = Network();
        model.train();
        var batch = randn([6, 2, 5, 5], generator: _generator);
        var damaged = batch.clone();
        damaged[3, 0, 0, 0].fill_(wrong);
        var (state, flags) = (State(model), Flags(model));

        var error = Assert.Throws<InvalidOperationException>(() => BatchNorms.Reestimate(model, [batch, damaged, batch]));

        Assert.Contains("'norm1'", error.Message, StringComparison.Ordinal);
        Assert.Contains("in batch 2", error.Message, StringComparison.Ordinal);
        Assert.Equal(state, State(model));
        Assert.Equal(flags, Flags(model));
    }

    [Fact]
    public void Reestimate_WhenTheNormsTypeDoesNotHoldTheVariance_SaysSo()
    {
        using var model = Sequential(("norm", BatchNorm1d(1)));
        model.to(ScalarType.Float16);

        var error = Assert.Throws<InvalidOperationException>(
            () => BatchNorms.Reestimate(
                model, [tensor(new[,] { { -1000f }, { 1000f } })], batch => Norms(model)[0].call(batch.to_type(ScalarType.Float16))));

        Assert.Contains("'norm'", error.Message, StringComparison.Ordinal);
        Assert.Equal(1f, Norms(model)[0].running_var!.to_type(ScalarType.Float32).item<float>());
    }

    [Fact]
    public void Reestimate_WhenTheForwardThrows_LeavesTheModelAsItWas()
    {
        using var model = Network();
        model.train();
        Norms(model)[1].eval();
        var (state, flags) = (State(model), Flags(model));

        Assert.Throws<FormatException>(() => BatchNorms.Reestimate(model, [randn([6, 2, 5, 5], generator: _generator)], batch =>
        {
            model.call(batch);
            throw new FormatException();
        }));

        Assert.Equal(state, State(model));
        Assert.Equal(flags, Flags(model));
    }

    [Fact]
    public void Reestimate_WhenNothingCanBeEstimated_SaysWhyAndChangesNothing()
    {
        using var plain = Linear(2, 2);
        using var model = new Bypass();
        using var norm = BatchNorm1d(2);
        using var untracked = BatchNorm1d(2, track_running_stats: false);

        Assert.Contains(
            "no batch norm",
            Assert.Throws<ArgumentException>(() => BatchNorms.Reestimate(plain, [ones(1, 2)])).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "no batch norm",
            Assert.Throws<ArgumentException>(() => BatchNorms.Reestimate(untracked, [ones(1, 2)])).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "no batch ", Assert.Throws<ArgumentException>(() => BatchNorms.Reestimate(norm, [])).Message, StringComparison.Ordinal);
        Assert.Contains(
            "'norm' read nothing",
            Assert.Throws<InvalidOperationException>(() => BatchNorms.Reestimate(model, [ones(4, 2)])).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "one value",
            Assert.Throws<InvalidOperationException>(() => BatchNorms.Reestimate(norm, [ones(1, 2)])).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => BatchNorms.Reestimate(null!, []));
        Assert.Throws<ArgumentNullException>(() => BatchNorms.Reestimate(norm, null!));
        Assert.Throws<ArgumentNullException>(() => BatchNorms.Reestimate<Tensor>(norm, [], null!));
        Assert.Equal([0f, 0f], norm.running_mean!.data<float>().ToArray());
    }

    /// <summary>Uses the forward of its batch norm, which no hook sees.</summary>
    private sealed class Bypass : Module<Tensor, Tensor>
    {
        private readonly BatchNorm1d _norm = BatchNorm1d(2);

        public Bypass()
            : base(nameof(Bypass)) => register_module("norm", _norm);

        public override Tensor forward(Tensor input) => _norm.forward(input);
    }
}
