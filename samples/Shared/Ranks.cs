using Pdp.Training;

namespace Pdp.Samples;

/// <summary>Runs a sample alone, or on the ranks that mpirun started.</summary>
internal static class Ranks
{
    /// <summary>Runs the work of this process, which is rank 0 of one where the run is not distributed.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="InvalidOperationException">There is no MPI, or it isn't clear which to use.</exception>
    public static int Run(bool isDistributed, Func<ICollective, int> work) =>
        isDistributed ? MpiRanks.Run(work, Sample.Describe) : work(SingleRank.Instance);

    /// <summary>Checks that the ranks of a run would have the same masks.</summary>
    /// <exception cref="ArgumentException">They would not.</exception>
    public static void RequireCommonMasks(string? importance)
    {
        if (ImportanceOption.Of(importance) is not null)
        {
            throw new ArgumentException(
                $"--importance {importance} learns from the gradients of each rank's own pictures, so that the masks of the ranks would "
                + "differ: leave it out, or --distributed.");
        }
    }

    /// <summary>Which process each rank is, as MPI names a process that was killed.</summary>
    public static string Describe(ICollective collective) => string.Join(", ",
        collective.Gather($"process {Environment.ProcessId} on {Environment.MachineName}")
            .Select((place, rank) => $"rank {rank} is {place}"));

    /// <summary>The cores for this rank: its share of those that it may run on, as others would each take all of them, too.</summary>
    public static int Cores(ICollective collective)
    {
        var place = $"{Environment.MachineName} {Affinity()}";
        return Math.Max(1, Environment.ProcessorCount / collective.Gather(place).Count(other => other == place));
    }

    // A launcher may have bound each rank to cores of its own; only Linux says so in a file.
    private static string? Affinity() => !OperatingSystem.IsLinux() ? null
        : File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal));
}
