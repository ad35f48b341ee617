using Pdp.Samples.ImageNet;
using Pdp.Samples.ImageNet.Data;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class ShareTests
{
    // 50 pictures: two rounds of 24 and a rest of 2.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Epoch_OfAllRanks_HasThePicturesOfOneInEachRound(int ranks)
    {
        var whole = Rounds(Of(24, Share.Whole, isTraining: true));

        var shares = Enumerable.Range(0, ranks).Select(rank => Rounds(Of(24 / ranks, new Share(rank, ranks), isTraining: true))).ToArray();

        Assert.Equal(2, whole.Count);
        Assert.All(shares, share => Assert.Equal(2, share.Count));
        for (var round = 0; round < 2; round++)
            Assert.Equal(whole[round], shares.SelectMany(share => share[round]));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Epoch_OfAllRanksInValidation_HasEveryPictureOnce(int ranks)
    {
        var shares = Enumerable.Range(0, ranks).Select(rank => Of(8, new Share(rank, ranks), isTraining: false)).ToArray();

        Assert.Equal(7, shares.Sum(share => share.Count));
        Assert.Equal(50, shares.Sum(share => Rounds(share).Sum(round => round.Length)));
        Assert.All(shares, share => Assert.Equal(share.Count, Rounds(share).Count));
    }

    [Theory]
    [InlineData(24, 1, 3, 8)]
    [InlineData(24, 2, 3, 4)]
    public void PartOn_SomeRanks_IsAnEqualShare(int batch, int accumulate, int ranks, int expected)
    {
        Assert.Equal(expected, new Settings { Batch = batch, Accumulate = accumulate }.PartOn(ranks));
    }

    [Theory]
    [InlineData(24, 1, 5, "24 pictures can't be divided among 5 ranks")]
    [InlineData(24, 6, 4, "give 4 ranks a --batch of at least 48")]
    public void PartOn_RanksThatDontFit_SaysWhatDoes(int batch, int accumulate, int ranks, string expected)
    {
        var error = Assert.Throws<ArgumentException>(() => new Settings { Batch = batch, Accumulate = accumulate }.PartOn(ranks));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static SyntheticBatches Of(int batch, Share share, bool isTraining) => new(50, 10, batch, 32, seed: 3, isTraining, share);

    // The pixels' sums tell the pictures apart.
    private static List<float[]> Rounds(SyntheticBatches batches) => [.. batches.Epoch(1).Select(batch =>
    {
        using var owned = batch;
        var size = batch.Pixels.Length / batch.Count;
        var sums = new float[batch.Count];
        for (var i = 0; i < sums.Length; i++)
            sums[i] = batch.Pixels.Slice(i * size, size).ToArray().Sum();
        return sums;
    })];
}
