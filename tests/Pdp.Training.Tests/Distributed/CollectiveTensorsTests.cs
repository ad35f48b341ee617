using static TorchSharp.torch;

namespace Pdp.Training.Tests.Distributed;

/// <summary>Tensors of unusual kinds, and calls at unusual times.</summary>
public sealed class CollectiveTensorsTests
{
    [Fact]
    public void Calls_OfTensorsWithoutNumbersOfTheirOwn_AreRefused()
    {
        using var scope = NewDisposeScope();
        var sparse = ones(2, 2).to_sparse();
        (Tensor Tensor, string Reason)[] cases =
        [
            (sparse, "is sparse"),
            (zeros([2], device: META), "is on the meta device"),
            (ones(1).expand(3), "is an expanded view"),
        ];

        foreach (var (tensor, reason) in cases)
        {
            RequireRefused(() => SingleRank.Instance.Sum(tensor), reason);
            RequireRefused(() => SingleRank.Instance.Broadcast(tensor), reason);
        }

        RequireRefused(() => Agreement.Require(SingleRank.Instance, [("embedding", sparse)]), "'embedding' is sparse");
    }

    // Its memory is that of the other sign.
    [Fact]
    public void Require_WhenOneRankHasTheConjugate_NamesIt()
    {
        var error = Assert.Throws<InvalidDataException>(() => ThreadRanks.Run(2, collective =>
        {
            using var scope = NewDisposeScope();
            var number = complex(ones(2), ones(2));
            Agreement.Require(collective, [("phase", collective.Rank == 0 ? number.conj() : number)]);
        }));

        Assert.Contains("'phase'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Calls_FromTwoThreadsAtOnce_AreRefused()
    {
        using var isWaiting = new ManualResetEventSlim();
        ThreadRanks.Run(2, collective =>
        {
            if (collective.Rank == 1)
            {
                isWaiting.Wait();
                collective.Barrier();
                return;
            }

            var other = new Thread(collective.Barrier);
            other.Start();
            SpinWait.SpinUntil(() => other.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
            var error = Record.Exception(collective.Barrier);
            isWaiting.Set();
            other.Join();

            Assert.IsType<InvalidOperationException>(error);
            Assert.StartsWith("Two threads of this rank call the others at once", error.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Calls_AfterTheWork_AreRefused()
    {
        ICollective? kept = null;
        ThreadRanks.Run(1, collective => kept = collective);

        var error = Assert.Throws<InvalidOperationException>(kept!.Barrier);

        Assert.Equal("This rank has ended its work, and can no longer call the others.", error.Message);
    }

    private static void RequireRefused(Action call, string reason) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
}
