using Pdp.Training;

namespace Pdp.Samples;

/// <summary>Runs a sample alone, or on the ranks that mpirun started.</summary>
internal static class Ranks
{
    /// <summary>Runs the work of this process, which is rank 0 of one where the run is not distributed.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="InvalidOperationException">There is no MPI, or it can't be told which.</exception>
    public static int Run(bool isDistributed, Func<ICollective, int> work) =>
        isDistributed ? MpiRanks.Run(work, Sample.Describe) : work(SingleRank.Instance);

    /// <summary>Which process each rank is, as MPI names a process that was killed.</summary>
    public static string Describe(ICollective collective) => string.Join(", ",
        collective.Gather($"process {Environment.ProcessId} on {Environment.MachineName}")
            .Select((place, rank) => $"rank {rank} is {place}"));

    /// <summary>The cores that are left for each rank of this machine, where each would take all.</summary>
    public static int Cores(ICollective collective) => Math.Max(1, Environment.ProcessorCount / collective.OnThisMachine().Count);
}
