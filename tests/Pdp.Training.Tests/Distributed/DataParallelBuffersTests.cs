using static Pdp.Training.Tests.Distributed.RankModels;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Distributed;

public sealed class DataParallelBuffersTests
{
    [Fact]
    public void AverageBuffers_OfBatchNorms_IsTheirMeanAndKeepsTheCount()
    {
        var ranks = OnEach(2, (model, collective) =>
        {
            using var parallel = new DataParallel(model, collective);
            using var noGrad = no_grad();
            model.state_dict()["1.running_mean"].copy_(full(3, (float)collective.Rank));
            model.state_dict()["1.num_batches_tracked"].copy_(tensor(5L + (2 * collective.Rank)));
            parallel.AverageBuffers();
            return null;
        });

        Assert.All(ranks, model => Assert.Equal([0.5f, 0.5f, 0.5f], Values(model.state_dict()["1.running_mean"])));
        Assert.Equal([5, 7], ranks.Select(model => model.state_dict()["1.num_batches_tracked"].ReadCpuInt64(0)));
    }

    [Fact]
    public void AverageBuffers_OfOneThatIsNotPersistent_IsTheMean()
    {
        ThreadRanks.Run(2, collective =>
        {
            using var model = Model(0);
            model.register_buffer("hidden", zeros(2), persistent: false);
            using var parallel = new DataParallel(model, collective);
            using var noGrad = no_grad();
            model.get_buffer("hidden")!.copy_(full(2, collective.Rank + 1f));

            parallel.AverageBuffers();

            Assert.Equal([1.5f, 1.5f], Values(model.get_buffer("hidden")!));
        });
    }
}
