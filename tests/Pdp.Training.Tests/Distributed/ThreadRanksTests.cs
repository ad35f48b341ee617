using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Distributed;

public sealed class ThreadRanksTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Int64)]
    public void Sum_OfAllRanks_IsTheSameOnEach(ScalarType type)
    {
        var sums = OnEach(3, collective =>
        {
            var own = full([2, 2], collective.Rank + 1, type);
            collective.Sum(own);
            return own.to_type(ScalarType.Float64).data<double>().ToArray();
        });

        Assert.All(sums, sum => Assert.Equal([6.0, 6.0, 6.0, 6.0], sum));
    }

    [Fact]
    public void Sum_OfATensorWithGaps_ChangesItAndNotWhatLiesBetween()
    {
        var results = OnEach(2, collective =>
        {
            var whole = ones(3, 2);
            collective.Sum(whole.select(1, 0));
            return whole.data<float>().ToArray();
        });

        Assert.All(results, values => Assert.Equal([2f, 1f, 2f, 1f, 2f, 1f], values));
    }

    [Fact]
    public void Sum_OfATypeWithoutSums_IsRefused()
    {
        var error = Assert.Throws<ArgumentException>(() => SingleRank.Instance.Sum(ones(2, ScalarType.BFloat16)));

        Assert.Contains("not BFloat16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Broadcast_FromARank_GivesAllItsTensor()
    {
        var results = OnEach(3, collective =>
        {
            var own = full(2, collective.Rank + 1, ScalarType.Int32);
            collective.Broadcast(own, root: 1);
            return own.data<int>().ToArray();
        });

        Assert.All(results, values => Assert.Equal([2, 2], values));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public void Broadcast_FromNoRank_IsRefused(int root)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => ThreadRanks.Run(2, collective => collective.Broadcast(ones(1), root)));

        Assert.Contains("[0, 2)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhenARankThrows_EndsTheOthersAndThrowsTheSame()
    {
        var others = new ConcurrentBag<string>();

        var error = Assert.Throws<TimeoutException>(() => ThreadRanks.Run(3, collective =>
        {
            if (collective.Rank == 1)
            {
                throw new TimeoutException("the disk is gone");
            }

            try
            {
                collective.Barrier();
            }
            catch (InvalidOperationException e)
            {
                others.Add(e.Message);
                throw;
            }
        }));

        Assert.Equal("the disk is gone", error.Message);
        Assert.Equal(["Rank 1 has ended, while others wait for it.", "Rank 1 has ended, while others wait for it."], others);
    }

    [Fact]
    public void Run_WhenARankEndsEarly_DoesNotHang()
    {
        Assert.Throws<InvalidOperationException>(() => ThreadRanks.Run(2, collective =>
        {
            if (collective.Rank == 0)
            {
                collective.Barrier();
            }
        }));
    }

    [Fact]
    public void Run_WhenRanksMakeDifferentCalls_SaysWhichOnEachAndChangesNothing()
    {
        ThreadRanks.Run(2, collective =>
        {
            using var scope = NewDisposeScope();
            var (isFirst, own) = (collective.Rank == 0, ones(3 - collective.Rank));

            Assert.Equal("rank 0 sums Float32 [3], and rank 1 sums Float32 [2].", DifferenceOf(() => collective.Sum(own)));
            Assert.Equal("rank 0 waits at a barrier, and rank 1 sums Float32 [2].", DifferenceOf(
                isFirst ? collective.Barrier : () => collective.Sum(own)));
            Assert.Equal(
                "rank 0 broadcasts Int64 [] of rank 0, and rank 1 broadcasts Int64 [] of rank 1.",
                DifferenceOf(() => collective.Broadcast(tensor(1L), collective.Rank)));
            Assert.Equal(own.numel(), own.sum().ReadCpuSingle(0));
        });
    }

    [Fact]
    public void Gather_OfTexts_GivesThemByRank()
    {
        var results = OnEach(3, collective => collective.Gather($"ü{collective.Rank}{new string('x', collective.Rank * 5)}"));

        Assert.All(results, texts => Assert.Equal(["ü0", "ü1xxxxx", "ü2xxxxxxxxxx"], texts));
    }

    [Fact]
    public void Broadcast_OfATextOfEachRank_GivesAllThatOfRankZero()
    {
        var results = OnEach(3, collective => collective.Broadcast($"ü{collective.Rank}{new string('x', collective.Rank * 5)}"));

        Assert.All(results, text => Assert.Equal("ü0", text));
    }

    [Fact]
    public void Run_OfNoRanksOrNoWork_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("size", () => ThreadRanks.Run(0, _ => { }));
        Assert.Throws<ArgumentNullException>("work", () => ThreadRanks.Run(1, null!));
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(2, true)]
    public void Any_WhenOneRankSaysSo_IsTrueOnAll(int which, bool expected)
    {
        var results = OnEach(3, collective => collective.Any(collective.Rank == which));

        Assert.All(results, answer => Assert.Equal(expected, answer));
    }

    [Fact]
    public void LocalRankAndSize_OfThreads_AreThoseOfAll()
    {
        var results = OnEach(3, collective => collective.LocalRankAndSize());

        Assert.Equal([(0, 3), (1, 3), (2, 3)], results);
    }

    private static string DifferenceOf(Action call) =>
        Assert.Throws<InvalidOperationException>(call).Message.Replace(
            "The ranks must make the same calls in the same order, but ", "", StringComparison.Ordinal);

    private static T[] OnEach<T>(int size, Func<ICollective, T> work)
    {
        var results = new T[size];
        ThreadRanks.Run(size, collective =>
        {
            using var scope = NewDisposeScope();
            results[collective.Rank] = work(collective);
        });
        return results;
    }
}
