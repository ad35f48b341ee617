using TorchSharp.Modules;
using static Pdp.Training.Tests.Distributed.RankModels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Distributed;

/// <summary>Models that don't fit, or no longer do, and ranks that are in different places of a run.</summary>
public sealed class DataParallelFitTests
{
    // Each rank would train the new layer by itself.
    [Fact]
    public void AverageGradients_AfterALayerWasAdded_NamesIt()
    {
        using var model = Sequential(("a", Linear(2, 2)));
        using var parallel = new DataParallel(model, SingleRank.Instance);
        model.append("b", Linear(2, 2));

        var error = Assert.Throws<InvalidOperationException>(parallel.AverageGradients);

        Assert.Equal("'b.weight' was added or replaced since: make a new DataParallel.", error.Message);
    }

    [Fact]
    public void AverageGradients_WhenOneRankFreezesALayer_NamesItOnAllAndChangesNothing()
    {
        var errors = new string[3];
        var ranks = OnEach(3, (model, collective) =>
        {
            using var parallel = new DataParallel(model, collective);
            SetGradients(model, collective.Rank);
            Weight(model).requires_grad = collective.Rank != 1;
            errors[collective.Rank] = Assert.Throws<InvalidOperationException>(parallel.AverageGradients).Message;
            return null;
        });

        Assert.All(errors, error => Assert.Equal("'0.weight' is frozen on 1 of 3 ranks: freeze it on all of them, or on none.", error));
        Assert.Equal([0f, 1f, 2f], ranks.Select(model => Values(Weight(model).grad!)[0]));
    }

    [Fact]
    public void AverageGradients_WhenAllFreezeALayer_AveragesTheOthers()
    {
        var ranks = OnEach(2, (model, collective) =>
        {
            Weight(model).requires_grad = false;
            var parallel = new DataParallel(model, collective);
            model.state_dict()["0.bias"].grad = full([3], collective.Rank + 1f);
            parallel.AverageGradients();
            return parallel;
        });

        Assert.All(ranks, model => Assert.Equal([1.5f, 1.5f, 1.5f], Values(model.state_dict()["0.bias"].grad!)));
        Assert.All(ranks, model => Assert.Null(Weight(model).grad));
    }

    // libtorch writes into no expanded view.
    [Fact]
    public void AverageGradients_OfAnExpandedGradient_IsTheMean()
    {
        var ranks = OnEach(2, (model, collective) =>
        {
            var parallel = new DataParallel(model, collective);
            Weight(model).grad = full([1, 1], collective.Rank + 1f).expand(3, 4);
            parallel.AverageGradients();
            return parallel;
        });

        Assert.All(ranks, model => Assert.All(Values(Weight(model).grad!), value => Assert.Equal(1.5f, value)));
    }

    // Without buffers nothing was exchanged here: rank 0 went on in the next epoch with rank 1's last batch, to the end of the run.
    [Fact]
    public void AverageBuffers_WhenOneRankHasABatchMore_SaysSoOnBoth()
    {
        var errors = new string[2];
        ThreadRanks.Run(2, collective =>
        {
            using var model = Linear(2, 2);
            using var parallel = new DataParallel(model, collective);
            errors[collective.Rank] = Assert.Throws<InvalidOperationException>(
                collective.Rank == 0 ? parallel.AverageBuffers : parallel.AverageGradients).Message;
        });

        Assert.All(errors, error => Assert.EndsWith(
            "rank 0 waits at a barrier, and rank 1 sums Int64 [2].", error, StringComparison.Ordinal));
    }

    [Fact]
    public void Averages_AfterDispose_AreRefused()
    {
        using var model = Model(0);
        var parallel = new DataParallel(model, SingleRank.Instance);
        parallel.Dispose();
        parallel.Dispose();

        Assert.Throws<ObjectDisposedException>(parallel.AverageGradients);
        Assert.Throws<ObjectDisposedException>(parallel.AverageBuffers);
    }

    // Its imaginary part would be lost.
    [Fact]
    public void Constructor_OfAComplexParameter_IsRefused()
    {
        using var model = new Holder(complex(ones(2), ones(2)));

        var error = Assert.Throws<ArgumentException>(() => new DataParallel(model, SingleRank.Instance));

        Assert.Contains("'own' of the model is complex", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_OfAnExpandedParameter_IsRefused()
    {
        using var model = new Holder(ones(1).expand(3));

        var error = Assert.Throws<ArgumentException>(() => new DataParallel(model, SingleRank.Instance));

        Assert.Contains("'own' of the model is an expanded view", error.Message, StringComparison.Ordinal);
    }

    private sealed class Holder : Module
    {
        public Holder(Tensor tensor)
            : base("holder") => register_parameter("own", new Parameter(tensor));
    }
}
