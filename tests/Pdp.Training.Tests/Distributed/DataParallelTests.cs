using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static Pdp.Training.Tests.Distributed.RankModels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Distributed;

public sealed class DataParallelTests
{
    private static readonly DataParallelOptions OneByOne = new() { BucketMebibytes = 1e-6 };

    // Of buckets of one tensor, of several, and of all.
    [Theory]
    [InlineData(1e-6)]
    [InlineData(5e-5)]
    [InlineData(16)]
    public void AverageGradients_OfAllRanks_IsTheirMean(double mebibytes)
    {
        var ranks = OnEach(4, (model, collective) =>
        {
            SetGradients(model, collective.Rank + 1);
            return Averaged(model, collective, new DataParallelOptions { BucketMebibytes = mebibytes });
        });

        Assert.All(ranks.SelectMany(model => model.parameters()), parameter => Assert.All(
            Values(parameter.grad!), value => Assert.Equal(2.5f, value)));
    }

    [Fact]
    public void AverageGradients_WhereARankHasNone_CountsItAsZeroAndGivesItTheMean()
    {
        var ranks = OnEach(2, (model, collective) =>
        {
            SetGradients(model, 3);
            Weight(model).grad = collective.Rank == 1 ? null : Weight(model).grad;
            return Averaged(model, collective, OneByOne);
        });

        Assert.All(ranks, model => Assert.All(Values(Weight(model).grad!), value => Assert.Equal(1.5f, value)));
    }

    // 12, 3, 3 and 3 numbers, of which 16 fit.
    [Fact]
    public void AverageGradients_InBuckets_FillsEachBeforeTheNext()
    {
        ThreadRanks.Run(2, collective =>
        {
            var counting = new Counting(collective);
            using var model = Model(0);
            using var parallel = new DataParallel(model, counting, new DataParallelOptions { BucketMebibytes = 64.0 / (1 << 20) });

            parallel.AverageGradients();

            Assert.Equal([4, 15, 6], counting.Sums);
        });
    }

    // The optimizer moves no parameter without a gradient, not even by its decay.
    [Fact]
    public void AverageGradients_WhereNoRankHasOne_LeavesNone()
    {
        var ranks = OnEach(2, (model, collective) =>
        {
            SetGradients(model, 3);
            Weight(model).grad = null;
            return Averaged(model, collective);
        });

        Assert.All(ranks, model => Assert.Null(Weight(model).grad));
        Assert.All(ranks, model => Assert.Equal(3f, Values(model.state_dict()["0.bias"].grad!)[0]));
    }

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void AverageGradients_OfOtherTypes_KeepsTheType(ScalarType type)
    {
        var ranks = OnEach(2, (model, collective) =>
        {
            model.to(type);
            SetGradients(model, collective.Rank + 0.5f);
            return Averaged(model, collective);
        });

        Assert.All(ranks.SelectMany(model => model.parameters()), parameter =>
        {
            Assert.Equal(type, parameter.grad!.dtype);
            Assert.All(Values(parameter.grad!), value => Assert.Equal(1f, value));
        });
    }

    [Fact]
    public void AverageGradients_InPlace_KeepsTheTensorAndItsLayout()
    {
        ThreadRanks.Run(2, collective =>
        {
            using var scope = NewDisposeScope();
            using var model = Conv2d(3, 4, 3, bias: false);
            using var parallel = new DataParallel(model, collective);
            var gradient = full([4, 3, 3, 3], (float)collective.Rank).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
            model.weight.grad = gradient;

            parallel.AverageGradients();

            Assert.All(Values(gradient), value => Assert.Equal(0.5f, value));
            Assert.Equal(gradient.stride(), model.weight.grad!.stride());
        });
    }

    [Fact]
    public void AverageGradients_OfATiedParameter_AveragesItOnce()
    {
        ThreadRanks.Run(2, collective =>
        {
            using var scope = NewDisposeScope();
            using var first = Linear(3, 3, hasBias: false);
            using var second = Linear(3, 3, hasBias: false);
            second.weight = new Parameter(first.weight.alias());
            using var model = Sequential(first, second);
            using var parallel = new DataParallel(model, collective);
            first.weight.grad = full([3, 3], collective.Rank + 1f);

            parallel.AverageGradients();

            Assert.Equal(9 * sizeof(float), parallel.BytesPerStep);
            Assert.All(Values(first.weight.grad!), value => Assert.Equal(1.5f, value));
        });
    }

    [Fact]
    public void AverageGradients_AfterAParameterWasReplaced_NamesItAndSaysWhatToDo()
    {
        var error = Assert.Throws<InvalidOperationException>(() => ThreadRanks.Run(2, collective =>
        {
            using var model = Model(collective.Rank);
            using var parallel = new DataParallel(model, collective);
            model.to(ScalarType.Float64);
            parallel.AverageGradients();
        }));

        Assert.Contains("'0.weight' was disposed, reshaped or converted", error.Message, StringComparison.Ordinal);
        Assert.Contains("make a new DataParallel", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AverageGradients_AfterAConversionInPlace_SaysSo()
    {
        using var model = Embedding(3, 2);
        using var parallel = new DataParallel(model, SingleRank.Instance);
        model.to(ScalarType.Float64);

        var error = Assert.Throws<InvalidOperationException>(parallel.AverageGradients);

        Assert.Contains("'weight' was disposed, reshaped or converted", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AverageGradients_OfASingleRank_ChangesNoBit()
    {
        using var model = Model(1);
        using var parallel = new DataParallel(model, SingleRank.Instance);
        SetGradients(model, 0.1f);

        parallel.AverageGradients();
        parallel.AverageBuffers();

        Assert.All(model.parameters(), parameter => Assert.All(Values(parameter.grad!), value => Assert.Equal(0.1f, value)));
        Assert.Equal(TimeSpan.Zero, parallel.CommunicationTime);
    }

    [Fact]
    public void CommunicationTime_AfterSteps_IsCountedWithTheSteps()
    {
        ThreadRanks.Run(2, collective =>
        {
            using var model = Model(0);
            using var parallel = new DataParallel(model, collective);
            SetGradients(model, 1);
            parallel.AverageGradients();
            parallel.AverageGradients();

            Assert.Equal(2, parallel.Steps);
            Assert.True(parallel.CommunicationTime > TimeSpan.Zero);
            Assert.Equal((12 + 3 + 3 + 3) * sizeof(float), parallel.BytesPerStep);
        });
    }

    [Fact]
    public void DataParallel_OutsideOfScopes_LeavesNoTensorBehind()
    {
        Sequential[] models = [Model(0), Model(1)];

        Leaks.None(() =>
        {
            Array.ForEach(models, model => SetGradients(model, 1));
            ThreadRanks.Run(2, collective =>
            {
                using var parallel = Averaged(models[collective.Rank], collective);
                parallel.AverageBuffers();
                Agreement.Require(
                    collective, models[collective.Rank].named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter)));
            });
        });
    }

    private static DataParallel Averaged(Module model, ICollective collective, DataParallelOptions? options = null)
    {
        var parallel = new DataParallel(model, collective, options);
        parallel.AverageGradients();
        return parallel;
    }

    private sealed class Counting(ICollective inner) : ICollective
    {
        public List<long> Sums { get; } = [];

        public int Rank => inner.Rank;

        public int Size => inner.Size;

        public void Sum(Tensor tensor)
        {
            Sums.Add(tensor.numel());
            inner.Sum(tensor);
        }

        public void Broadcast(Tensor tensor, int root = 0) => inner.Broadcast(tensor, root);

        public void Barrier() => inner.Barrier();
    }
}
