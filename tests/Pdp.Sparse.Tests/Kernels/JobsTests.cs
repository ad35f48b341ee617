using System.Runtime.CompilerServices;
using Pdp.Sparse.Kernels;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Kernels;

public sealed class JobsTests
{
    [Fact]
    public void Take_AfterReturn_GivesTheSameJob()
    {
        var pool = new Jobs();
        pool.Open();

        Assert.Same(Used(pool), Used(pool));
    }

    [Fact]
    public void Close_OfTheLastModel_LeavesTheJobsToTheCollector()
    {
        var pool = new Jobs();
        pool.Open();
        pool.Open();
        var job = Watched(pool);

        pool.Close();
        Assert.True(IsAlive(job));
        pool.Close();

        Assert.False(IsAlive(job));
        GC.KeepAlive(pool);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Watched(Jobs pool) => new(Used(pool));

    private static Job Used(Jobs pool)
    {
        using var lease = pool.Take();
        return lease.Job;
    }

    private static bool IsAlive(WeakReference job)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return job.IsAlive;
    }

    [Fact]
    public void Users_AfterAPackingByTrialAndItsEnd_AreAsManyAsBefore()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var before = Jobs.Shared.Users;

        using (SparseModel.Pack(model, Nets.Picture(), Pruned.Everything))
            Assert.Equal(before + 3, Jobs.Shared.Users);

        Assert.Equal(before, Jobs.Shared.Users);
    }
}
