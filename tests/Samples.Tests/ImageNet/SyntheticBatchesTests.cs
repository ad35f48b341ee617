using Pdp.Samples.ImageNet.Data;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class SyntheticBatchesTests
{
    [Fact]
    public void Epoch_WhenBegunInTheMiddle_GivesTheSameBatches()
    {
        using var batches = Make(isTraining: true);

        Assert.Equal(Numbers(batches, 1)[1..], Numbers(batches, 1, first: 1));
        Assert.NotEqual(Numbers(batches, 0), Numbers(batches, 1));
    }

    [Fact]
    public void Epoch_WhenTraining_LeavesAnIncompleteBatchOut()
    {
        using var training = Make(isTraining: true);
        using var validation = Make(isTraining: false);

        Assert.Equal((3, 3), (training.Count, Numbers(training, 0).Length));
        Assert.Equal((4, 4), (validation.Count, Numbers(validation, 0).Length));
    }

    private static SyntheticBatches Make(bool isTraining) => new(14, 3, 4, 8, 0, isTraining);

    private static string[] Numbers(SyntheticBatches batches, int epoch, int first = 0) =>
        [.. batches.Epoch(epoch, first).Select(batch =>
            { using (batch) { return $"{string.Join(' ', batch.Labels.ToArray())}: {string.Join(' ', batch.Pixels.ToArray())}"; } })];
}
