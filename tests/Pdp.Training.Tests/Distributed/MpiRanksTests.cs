using System.Diagnostics;
using System.Text.RegularExpressions;
using Pdp.Training.Ranks;

namespace Pdp.Training.Tests.Distributed;

/// <summary>Two processes, by each kind of MPI that is installed.</summary>
public sealed partial class MpiRanksTests
{
    public static TheoryData<string> Kinds => [.. MpiRun.Kinds.DefaultIfEmpty("none")];

    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_OnTwoProcesses_HasTheBitsOfTwoThreadsInEachRun(string mpirun)
    {
        var threads = new Outcome[2];
        ThreadRanks.Run(2, collective => threads[collective.Rank] = SmallTraining.Run(collective, sparsity: 0.6));

        MpiRun[] runs = [MpiRun.Of(mpirun, "train"), MpiRun.Of(mpirun, "train")];

        Assert.All(runs, run => Assert.Equal(0, run.ExitCode));
        Assert.All(runs, run => Assert.Equal([threads[0].Weights, threads[0].Weights], run.Of("weights")));
        Assert.All(runs, run => Assert.Equal([threads[0].Masks, threads[0].Masks], run.Of("masks")));
        Assert.All(runs, run => Assert.Equal([$"{threads[0].Zeros}", $"{threads[0].Zeros}"], run.Of("zeros")));
    }

    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenARankThrows_EndsAllAndNamesIt(string mpirun)
    {
        var run = MpiRun.Of(mpirun, "throw");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("Rank 1 of 2", run.Text, StringComparison.Ordinal);
        Assert.Contains("the disk is gone", run.Text, StringComparison.Ordinal);
    }

    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenARankEndsEarly_EndsAllAndNamesIt(string mpirun)
    {
        var run = MpiRun.Of(mpirun, "early");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("rank 0 sums Int64 [2], and rank 1 has ended its work.", run.Text, StringComparison.Ordinal);
    }

    // No library's own error, and the ranks could continue.
    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenRanksMakeDifferentCalls_SaysWhichOnEach(string mpirun)
    {
        var run = MpiRun.Of(mpirun, "mismatch");

        Assert.Equal(0, run.ExitCode);
        Assert.All(run.Of("lengths"), error => Assert.EndsWith(
            "rank 0 sums Float32 [1], and rank 1 sums Float32 [2].", error, StringComparison.Ordinal));
        Assert.All(run.Of("kinds"), error => Assert.EndsWith(
            "rank 0 waits at a barrier, and rank 1 sums Float32 [2].", error, StringComparison.Ordinal));
        Assert.Equal(["2", "2"], run.Of("sum"));
    }

    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenARankExits_EndsAllAndNamesIt(string mpirun)
    {
        MpiRun[] runs = [MpiRun.Of(mpirun, "exit 0"), MpiRun.Of(mpirun, "exit 3")];

        Assert.Equal([1, 3], runs.Select(run => run.ExitCode));
        Assert.All(runs.Zip([0, 3]), run => Assert.Matches(
            $"Rank 1 of 2 .* exited with code {run.Second} in the middle of its work, which ends all ranks", run.First.Text));
    }

    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenARankIsKilled_EndsTheOtherAndSaysWhich(string mpirun)
    {
        var processes = new Dictionary<int, int>();
        var run = MpiRun.Of(mpirun, "wait", line =>
        {
            lock (processes)
            {
                if (Said().Match(line) is { Success: true } said
                    && processes.TryAdd(int.Parse(said.Groups[1].ValueSpan), int.Parse(said.Groups[2].ValueSpan)) && processes.Count == 2)
                {
                    Process.GetProcessById(processes[1]).Kill();
                }
            }
        });

        Assert.NotEqual(0, run.ExitCode);
        Assert.Matches($"process rank 1 .*Killed|PID {processes[1]} RUNNING AT", run.Text);
        Assert.True(SpinWait.SpinUntil(() => !IsRunning(processes[0]), TimeSpan.FromMinutes(1)), "Rank 0 is still running.");
    }

    [MpiTheory]
    [MemberData(nameof(Kinds))]
    public void Run_WhenTheLibraryIsNone_SaysHowToInstallOne(string mpirun)
    {
        var run = MpiRun.Of(mpirun, "train", library: "libm.so.6");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("PDP_MPI is 'libm.so.6', not an MPI library", run.Text, StringComparison.Ordinal);
    }

    [GeneratedRegex("([01]):process=([0-9]+)")]
    private static partial Regex Said();

    // Ended, though perhaps not yet waited for by what took its parent's place.
    private static bool IsRunning(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
