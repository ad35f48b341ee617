using Pdp.Training.Ranks;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Distributed;

/// <summary>The whole loop with a pruner on ranks that are threads; <see cref="MpiRanksTests"/> has the same on processes.</summary>
public sealed class TrainingTests
{
    private const double Sparsity = 0.6;

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Run_OnSeveralRanks_HasTheWeightsOfTheWholeBatch(int size)
    {
        var whole = SmallTraining.Run(SingleRank.Instance);

        var ranks = OnThreads(size);

        RequireClose(whole, ranks[0], tolerance: 1e-6);
    }

    // In float32 a soft mask multiplies roundings near its threshold by some hundreds.
    [Fact]
    public void Run_WithAPruner_HasTheWeightsOfTheWholeBatch()
    {
        var whole = SmallTraining.Run(SingleRank.Instance, Sparsity, ScalarType.Float64);

        var ranks = OnThreads(2, Sparsity, ScalarType.Float64);

        RequireClose(whole, ranks[0], tolerance: 1e-12);
        Assert.Equal(whole with { Weights = "", Values = [] }, ranks[0] with { Weights = "", Values = [] });
        Assert.Equal(Math.Round(Sparsity * ((24 * 48) + (48 * 5))), whole.Zeros);
    }

    [Fact]
    public void Run_OnSeveralRanks_LeavesTheSameBitsOnAllAndInTwoRuns()
    {
        var (first, second) = (OnThreads(3, Sparsity), OnThreads(3, Sparsity));

        Assert.All([.. first, .. second], rank => Assert.Equal(first[0] with { Values = [] }, rank with { Values = [] }));
    }

    private static void RequireClose(Outcome expected, Outcome actual, double tolerance)
    {
        Assert.All(actual.Values.Zip(expected.Values), pair => Assert.Equal(pair.Second, pair.First, tolerance));
        Assert.True(expected.Values.Max(Math.Abs) > 0.1, "The weights are too small for the tolerance.");
    }

    private static Outcome[] OnThreads(int size, double? sparsity = null, ScalarType type = ScalarType.Float32)
    {
        var outcomes = new Outcome[size];
        ThreadRanks.Run(size, collective => outcomes[collective.Rank] = SmallTraining.Run(collective, sparsity, type));
        return outcomes;
    }
}
