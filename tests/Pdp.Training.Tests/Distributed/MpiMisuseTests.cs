namespace Pdp.Training.Tests.Distributed;

/// <summary>Programs that use ranks wrongly: each ends soon, and says why in words of its own rather than MPI's.</summary>
public sealed class MpiMisuseTests
{
    public static TheoryData<string> Kinds => MpiRanksTests.Kinds;

    // MPI ends the process where it is called too late, or started twice.
    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_ASecondTime_IsRefusedAndSoAreCallsAfterTheFirst(string mpirun)
    {
        var run = MpiRun.Of(mpirun, "again");

        Assert.Equal(0, run.ExitCode);
        Assert.All(run.Of("after"), error => Assert.Equal("This rank has ended its work, and can no longer call the others.", error));
        Assert.All(run.Of("again"), error => Assert.StartsWith("MPI was already started in this process", error, StringComparison.Ordinal));
    }

    // MPICH took such an end of one rank for that of all, with exit code 0.
    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenAFailureCantBeDescribed_ShowsItAndEndsAll(string mpirun)
    {
        var run = MpiRun.Of(mpirun, "undescribed");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("Rank 1 of 2", run.Text, StringComparison.Ordinal);
        Assert.Contains("the disk is gone", run.Text, StringComparison.Ordinal);
        Assert.Contains("no words", run.Text, StringComparison.Ordinal);
    }

    // They got one another's sums, waited forever, or crashed MPI.
    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenTwoThreadsCallAtOnce_EndsAllAndSaysSo(string mpirun)
    {
        var run = MpiRun.Of(mpirun, "threads");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("Two threads of this rank call the others at once", run.Text, StringComparison.Ordinal);
    }

    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenAFinallyBlockThrowsOverAFailure_ShowsBoth(string mpirun)
    {
        var run = MpiRun.Of(mpirun, "finally");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("rank 0 sums Float32 [3], and rank 1 waits at a barrier", run.Text, StringComparison.Ordinal);
        Assert.Contains("the disk is gone", run.Text, StringComparison.Ordinal);
    }

    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenAThreadOfARankFails_NamesTheRank(string mpirun)
    {
        var run = MpiRun.Of(mpirun, "thread");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Matches("Rank 1 of 2 .* failed in another thread, which ends all ranks: .*the disk is gone", run.Text);
    }
}
